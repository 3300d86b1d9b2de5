"""SHAP values of rows, block by block."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state

from skdnn._streaming.containers import is_container
from skdnn._streaming.feature_blocks import feature_blocks, sampled_rows
from skdnn.explain._methods.shap import ShapConfig, compute_shap
from skdnn.explain._model.opening import open_problem
from skdnn.explain._results.attributions import Attributions

# Rows that are explained at once, and rows that a background is drawn from.
_EXPLAINED_ROWS, _BACKGROUND_ROWS = 1024, 10_000


def attribution_frames(
    estimator: Any,
    X: Any,
    background: Any,
    output: str,
    max_evals: int | None,
    random_state: Any,
) -> Iterator[pd.DataFrame]:
    """Yield a frame of SHAP values for each block of rows.

    All blocks have the same background rows, and sets of columns.
    """
    seed = random_state
    if not isinstance(seed, int | np.integer):
        seed = int(check_random_state(random_state).randint(2**31 - 1))
    drawn_from = X if background is None else background
    if background is None or is_container(background):
        background = sampled_rows(estimator, drawn_from, _BACKGROUND_ROWS, int(seed))
    config = ShapConfig(max_evals=max_evals)
    for start, rows in feature_blocks(estimator, X, _EXPLAINED_ROWS):
        problem = open_problem(estimator, rows, background=background, output=output)
        yield attribution_frame(compute_shap(problem, config, int(seed)), start)


def attribution_frame(result: Attributions, start: int) -> pd.DataFrame:
    """Return a row for each explained row, counted from `start`, and class."""
    n, _, k = result.values.shape
    columns: dict[str, Any] = {
        "sample": np.repeat(np.arange(start, start + n), k),
        "class": np.tile(result.class_names, n),
        "prediction": result.predictions.ravel(),
        "base_value": np.tile(result.base_values, n),
    }
    for j, name in enumerate(result.feature_names):
        columns[f"value_{name}"] = result.values[:, j].ravel()
    for j, name in enumerate(result.feature_names):
        columns[f"std_error_{name}"] = result.std_errors[:, j].ravel()
    return pd.DataFrame(columns)
