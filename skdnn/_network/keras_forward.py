"""The forward pass in Keras, for networks with a function of the user."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from skdnn._network.keras_models import build_network, set_weights
from skdnn._network.spec import NetworkSpec
from skdnn._runtime import caches, keras_backend

_BLOCK_ROWS = 8192


def predict_logits(
    spec: NetworkSpec, weights: Sequence[np.ndarray], X: Any
) -> np.ndarray:
    """Return logits of shape (n_samples, n_outputs) for an array or sparse matrix."""
    network = _network(spec.without_rates())
    set_weights(network, spec, weights)
    blocks = []
    for start in range(0, X.shape[0], _BLOCK_ROWS):
        block = X[start : start + _BLOCK_ROWS]
        block = block.toarray() if hasattr(block, "toarray") else block
        blocks.append(keras_backend.to_numpy(network(block, training=False)))
    return np.concatenate(blocks)


@lru_cache(maxsize=16)
def _network(spec: NetworkSpec) -> Any:
    return build_network(spec)


caches.register_cache(_network.cache_clear)
