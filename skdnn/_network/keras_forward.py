"""Prediction through Keras, for networks with a function of the user's own."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from skdnn._network.keras_models import build_network, set_weights
from skdnn._network.spec import NetworkSpec
from skdnn._runtime import caches, keras_backend

_BLOCK_ROWS = 8192


def predict_logits(spec: NetworkSpec, weights: Sequence[np.ndarray], X) -> np.ndarray:
    """Return what the last layer gives; see ``_engine.predict_logits``."""
    network = _network(spec.without_rates())
    set_weights(network, spec, weights)
    blocks = []
    for start in range(0, X.shape[0], _BLOCK_ROWS):
        block = X[start : start + _BLOCK_ROWS]
        block = block.toarray() if hasattr(block, "toarray") else block
        blocks.append(keras_backend.to_numpy(network(block, training=False)))
    return np.concatenate(blocks)


@lru_cache(maxsize=16)
def _network(spec: NetworkSpec):
    return build_network(spec)


caches.register_cache(_network.cache_clear)
