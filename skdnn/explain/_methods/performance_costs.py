"""The costs of decisions: a matrix by true and predicted class, checked."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from skdnn._runtime.suggestions import did_you_mean

# By pairs (true class, predicted class), or by position in classes_; None is no costs.
Costs = Mapping[tuple[Any, Any], float] | pd.DataFrame | np.ndarray | None
_MAX_LISTED = 5


def check_costs(costs: Any, class_names: np.ndarray) -> np.ndarray:
    """Return costs as a matrix: rows by true class, columns by predicted class.

    ValueError unless they are finite numbers, and of the classes of the estimator.
    """
    classes = np.asarray(class_names).tolist()
    if isinstance(costs, Mapping):
        matrix = _of_pairs(costs, classes)
    elif isinstance(costs, pd.DataFrame):
        matrix = _of_frame(costs, classes)
    else:
        matrix = _numbers(costs)
        if matrix.shape != (len(classes), len(classes)):
            raise ValueError(
                "`costs` must have a row for each true class and a column for each "
                f"predicted class, in the order of classes_: shape "
                f"({len(classes)}, {len(classes)}). Got {matrix.shape}."
            )
    if not np.isfinite(matrix).all():
        i, j = np.argwhere(~np.isfinite(matrix))[0]
        raise ValueError(
            f"`costs` must be finite. Got {matrix[i, j]} where {classes[i]!r} is "
            f"predicted as {classes[j]!r}; give a large number for what must not occur."
        )
    return matrix


def _numbers(costs: Any) -> np.ndarray:
    try:
        return np.asarray(costs, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            "`costs` must be numbers: a dict of pairs (true class, predicted class), "
            f"or a square array. Got {costs!r:.200}."
        ) from error


def _position(label: Any, classes: list[Any]) -> int:
    if label not in classes:
        raise ValueError(
            f"`costs` must name classes of the estimator: {classes}. Got {label!r}."
            f"{did_you_mean(label, classes)}"
        )
    return classes.index(label)


def _of_pairs(costs: Mapping[Any, Any], classes: list[Any]) -> np.ndarray:
    """Return the matrix of a dict; right predictions that are left out cost 0."""
    matrix = np.full((len(classes), len(classes)), np.nan)
    np.fill_diagonal(matrix, 0)
    is_given = np.eye(len(classes), dtype=bool)
    for pair, cost in costs.items():
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise ValueError(
                "The keys of `costs` must be pairs (true class, predicted class). Got "
                f"{pair!r}."
            )
        at = _position(pair[0], classes), _position(pair[1], classes)
        matrix[at] = _numbers(cost).item() if np.ndim(cost) == 0 else _refuse(cost)
        is_given[at] = True
    missing = [(classes[i], classes[j]) for i, j in np.argwhere(~is_given)]
    if missing:
        more = ", …" if len(missing) > _MAX_LISTED else ""
        listed = ", ".join(map(repr, missing[:_MAX_LISTED]))
        raise ValueError(
            "`costs` must have a cost for each mistake (true class, predicted class). "
            f"Got none for {listed}{more}. Give 0 where a mistake costs nothing."
        )
    return matrix


def _refuse(cost: Any) -> float:
    raise ValueError(
        f"`costs` must have one number for each pair. Got {cost!r:.200}; for a matrix "
        "use an array in the order of classes_."
    )


def _of_frame(costs: pd.DataFrame, classes: list[Any]) -> np.ndarray:
    """Return the matrix of a frame, whose rows and columns are named by the classes."""
    axes = []
    for axis, kind in ((costs.index, "rows"), (costs.columns, "columns")):
        labels = axis.tolist()
        for label in labels:
            _position(label, classes)
        if len(labels) != len(classes) or len(set(labels)) != len(classes):
            raise ValueError(
                f"The {kind} of `costs` must be the classes, each once: {classes}. Got "
                f"{labels}."
            )
        axes.append([labels.index(label) for label in classes])
    return _numbers(costs.to_numpy(dtype=object))[np.ix_(*axes)]
