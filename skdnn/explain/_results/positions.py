"""Positions of rows and classes in a result, or an error that lists what there is."""

from typing import Any

import numpy as np

from skdnn._runtime.suggestions import did_you_mean


def class_position(
    class_names: np.ndarray, target_class: Any, name: str = "target_class"
) -> int:
    """Return the position of a class; `name` is the parameter that errors mention."""
    labels = class_names.tolist()
    if target_class not in labels:
        hint = did_you_mean(target_class, labels)
        raise ValueError(
            f"`{name}` must be one of the classes {labels}. Got {target_class!r}.{hint}"
        )
    return int(labels.index(target_class))


def sample_position(n_samples: int, sample: Any) -> int:
    """Return the position of an explained row, counted from the first."""
    is_whole = isinstance(sample, int | np.integer)
    if not is_whole or not -n_samples <= sample < n_samples:
        raise ValueError(
            f"`sample` must be the position of one of the {n_samples} explained rows. "
            f"Got {sample!r}."
        )
    return int(sample) % n_samples
