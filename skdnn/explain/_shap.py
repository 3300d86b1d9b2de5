"""SHAP: interventional Shapley values of the user's columns.

The worth of a set of columns is the mean output when those columns are the explained
row's and the others a background row's. A column's attribution is the mean of what it
adds, over all orders in which columns may be switched.
"""

import itertools
import math
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from skdnn.explain._explanation import Attributions
from skdnn.explain._target import Problem, Step, Target, draw_background

METHODS = ("auto", "exact", "walks", "permutation", "kernel")
# 2 ** 10 sets a row are as many evaluations as the walks of 50 columns.
MAX_ENUMERATED = 10
_EXACT_LIMIT = 20
# Antithetic pairs of walks for each background row: two tell how much they differ.
_PAIRS_A_ROW = 2
# Fewer pairs in all would make the standard errors themselves unsteady.
_MIN_PAIRS = 100


def explain_shap(
    problem: Problem,
    method: str,
    random_state: np.random.RandomState,
    seed,
    step: Step,
) -> Attributions:
    """Return Shapley values of every row, column and class.

    Parameters
    ----------
    problem : Problem
        What to explain.
    method : str
        One of `METHODS`.
    random_state : RandomState
        Draws background rows and walks.
    seed : object
        What the caller gave as `random_state`, kept in the result.
    step : callable
        Called after each row.
    """
    target, background = problem.target, draw_background(problem, random_state)
    if method == "auto":
        method = "exact" if target.n_features <= MAX_ENUMERATED else "walks"
    error_df = None
    if method == "exact":
        attribute = _exact(target, background)
    elif method == "walks":
        attribute, error_df = _walks(target, background, random_state)
    else:
        attribute = _through_shap(method, target, background, random_state)
    predictions = target.predict(problem.X)
    shape = (len(problem.X), target.n_features, target.n_classes)
    values, errors = np.empty(shape), np.empty(shape)
    for i, row in enumerate(problem.X):
        values[i], errors[i] = attribute(row, predictions[i])
        step()
    return Attributions(
        values=values,
        std_errors=errors,
        base_values=target.predict(background).mean(axis=0),
        predictions=predictions,
        feature_names=target.feature_names,
        class_names=target.class_names,
        data=problem.data,
        method=method,
        output=target.output,
        n_background=len(background),
        random_state=seed,
        error_df=error_df,
    )


def _exact(target: Target, background: np.ndarray):
    """Return a function that enumerates all sets of columns.

    Shapley (1953): phi_j = sum over sets S without j of |S|! (d - |S| - 1)! / d!
    times v(S with j) - v(S).
    """
    d = target.n_features
    if d > _EXACT_LIMIT:
        raise ValueError(
            f"method='exact' takes 2 to the number of columns evaluations, for at most "
            f"{_EXACT_LIMIT} columns. Got {d}; use method='walks'."
        )
    sets = np.array(list(itertools.product([False, True], repeat=d)), dtype=bool)
    sizes = sets.sum(axis=1)
    sets = sets[np.argsort(sizes, kind="stable")]
    sizes = np.sort(sizes)
    weight = np.array(
        [math.factorial(s) * math.factorial(d - s - 1) / math.factorial(d)
         for s in range(d)]
    )  # fmt: skip
    # phi is linear in v: a set with j counts for j by the weight of the set without,
    # a set without j against it by its own
    gain = np.zeros((d, len(sets)))
    for j in range(d):
        has = sets[:, j]
        gain[j, has] = weight[sizes[has] - 1]
        gain[j, ~has] = -weight[sizes[~has]]

    def attribute(row, prediction):
        worth = np.empty((len(sets), target.n_classes))
        step = max(1, target.block_rows // len(background))
        for start in range(0, len(sets), step):
            part = sets[start : start + step]
            worth[start : start + step] = _worth(target, row, background, part)
        # the ends are known: rounding in them would not cancel
        worth[-1] = prediction
        values = gain @ worth
        return values, np.zeros_like(values)

    return attribute


def _worth(target, row, background, sets) -> np.ndarray:
    """Return the mean output over the background rows for each set of columns."""
    mixed = np.where(sets[:, None, :], row, background)
    out = target.predict(mixed.reshape(-1, len(row)))
    return out.reshape(len(sets), len(background), -1).mean(axis=1)


def _walks(target: Target, background: np.ndarray, random_state: np.random.RandomState):
    """Return a function that estimates by antithetic walks in pairs, and its freedom.

    A walk starts at a background row and switches columns to the explained row's in a
    random order; its twin goes in the reverse order (Mitchell et al., 2022, section
    4). Every background row starts as many walks as any other. What differs between
    pairs from one background row is sampling error alone, so that is what the
    standard error is made of: the spread of all pairs would hold the differences
    between background rows as well. Its degrees of freedom come second.
    """
    d, n_back = target.n_features, len(background)
    n_pairs = max(_PAIRS_A_ROW, -(-_MIN_PAIRS // n_back))
    orders = np.array([random_state.permutation(d) for _ in range(n_back * n_pairs)])
    # (n_back * n_pairs, 2, d): a walk and its twin
    ranks = np.argsort(np.stack([orders, orders[:, ::-1]], axis=1), axis=2)
    rows = np.repeat(background, n_pairs, axis=0)
    start = np.repeat(target.predict(background), n_pairs, axis=0)
    # pairs that fit a block
    step = max(1, target.block_rows // (2 * max(1, d - 1)))

    def attribute(row, prediction):
        pairs = np.empty((n_back * n_pairs, d, target.n_classes))
        for first in range(0, len(pairs), step):
            part = slice(first, first + step)
            pairs[part] = _pair_estimates(
                target, row, prediction, rows[part], start[part], ranks[part]
            )
        pairs = pairs.reshape(n_back, n_pairs, *pairs.shape[1:])
        within = pairs.var(axis=1, ddof=1).mean(axis=0)
        return pairs.mean(axis=(0, 1)), np.sqrt(within / (n_back * n_pairs))

    return attribute, n_back * (n_pairs - 1)


def _pair_estimates(target, row, prediction, background, start, ranks):
    """Return the mean of each walk and its twin.

    Parameters
    ----------
    background : ndarray of shape (n_pairs, n_features)
        Where each pair starts, with output `start`.
    ranks : ndarray of shape (n_pairs, 2, n_features)
        When each column is switched, in the walk and in its twin.

    Returns
    -------
    ndarray of shape (n_pairs, n_features, n_classes)
    """
    n, _, d = ranks.shape
    out = np.empty((n, 2, d + 1, len(prediction)))
    # the ends are known; after s steps the columns of rank below s are switched
    out[:, :, 0] = start[:, None]
    out[:, :, d] = prediction
    if d > 1:
        switched = ranks[:, :, None, :] < np.arange(1, d)[:, None]
        mixed = np.where(switched, row, background[:, None, None, :])
        between = target.predict(mixed.reshape(-1, d))
        out[:, :, 1:d] = between.reshape(n, 2, d - 1, -1)
    steps = np.diff(out, axis=2)
    return np.take_along_axis(steps, ranks[..., None], axis=2).mean(axis=1)


def _through_shap(
    method: str,
    target: Target,
    background: np.ndarray,
    random_state: np.random.RandomState,
):
    """Return a function that asks shap's own explainer; it gives no standard errors."""
    import shap

    # shap draws from NumPy's global state, which is the caller's
    seed = int(random_state.randint(2**31 - 1))
    if method == "kernel":
        explainer = shap.KernelExplainer(target.predict, background)

        def ask(row):
            return explainer.shap_values(row[None], silent=True)[0]

    else:
        masker = shap.maskers.Independent(background, max_samples=len(background))
        with _global_seed(seed):
            explainer = shap.explainers.Permutation(target.predict, masker, seed=seed)

        def ask(row):
            return explainer(row[None], silent=True).values[0]

    def attribute(row, prediction):
        with _global_seed(seed):
            values = np.asarray(ask(row))
        values = values.reshape(target.n_features, target.n_classes)
        return values, np.full_like(values, np.nan)

    return attribute


@contextmanager
def _global_seed(seed: int) -> Iterator[None]:
    """Set NumPy's global seed for a block, and put its state back."""
    kept = np.random.get_state()  # noqa: NPY002
    np.random.seed(seed)  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(kept)  # noqa: NPY002
