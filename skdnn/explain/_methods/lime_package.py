"""The explainer of the lime package, for comparison."""

import numpy as np

from skdnn.explain._methods.lime_surrogate import Surrogate, fit_surrogate
from skdnn.explain._model.options import Groups, Step
from skdnn.explain._model.target import Problem

N_ROWS = 5000  # lime's
_RIDGE = 1.0  # lime's
_KERNEL_WIDTH = 0.75  # lime's, times the root of the number of columns


def kernel_weights(like: np.ndarray) -> np.ndarray:
    """Return the weight of each row, which rises with the columns like the row's."""
    n_unlike = like.shape[1] - like.sum(axis=1)
    width = _KERNEL_WIDTH * np.sqrt(like.shape[1])
    # lime's kernel of the Euclidean distance between rows of zeros and ones
    return np.asarray(np.sqrt(np.exp(-n_unlike / width**2)))


def lime_surrogates(
    problem: Problem, groups: Groups | None, seed: int, step: Step
) -> list[Surrogate]:
    """Return the surrogate of every row by the lime package."""
    background = problem.background
    if groups or problem.target.output != "probability":
        raise ValueError(
            "method='tabular' must be used without `groups` and with "
            "output='probability', as lime knows nothing else. Got one of them; use "
            "method='auto'."
        )
    if not (np.isfinite(problem.X).all() and np.isfinite(background).all()):
        raise ValueError(
            "method='tabular' must have no missing or infinite cells, which lime "
            "cannot draw. Got some; use method='auto'."
        )
    surrogates = []
    for row in problem.X:
        surrogates.append(_explain_row(problem, row, seed))
        step()
    return surrogates


def _explain_row(problem: Problem, row: np.ndarray, seed: int) -> Surrogate:
    from lime.lime_tabular import LimeTabularExplainer

    target = problem.target
    classes = range(target.n_classes)
    is_numeric = np.array([column.is_numeric for column in target.columns])
    numeric = np.flatnonzero(is_numeric)
    # a new explainer for each row, as explaining advances its generator
    explainer = LimeTabularExplainer(
        problem.background, categorical_features=np.flatnonzero(~is_numeric).tolist(),
        feature_selection="none", random_state=seed,
    )  # fmt: skip
    calls: list[tuple[np.ndarray, np.ndarray]] = []

    def predict(rows: np.ndarray) -> np.ndarray:
        calls.append((rows, target.predict(rows)))
        return calls[-1][1][:, : target.n_classes]

    theirs = explainer.explain_instance(
        row, predict, labels=classes, num_features=target.n_features,
        num_samples=N_ROWS,
    )  # fmt: skip
    rows, output = calls[0]
    like = rows == row
    bins = explainer.discretizer.discretize
    like[:, numeric] = (bins(rows) == bins(row))[:, numeric]
    # lime has no errors, and neither the score of every class nor the members
    weights = kernel_weights(like)
    ours = fit_surrogate(like.astype(float), output, weights=weights, ridge=_RIDGE)
    coefs = ours.coefs.copy()
    for k in classes:
        positions, values = zip(*theirs.local_exp[k], strict=True)
        coefs[positions, k] = values
    intercept = np.array([theirs.intercept[k] for k in classes])
    return Surrogate(intercept, coefs, ours.errors, ours.score, ours.adjusted_score)
