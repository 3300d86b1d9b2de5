"""LIME: a weighted linear surrogate around each row.

Around a row, rows are drawn whose columns come independently from the background, so
that words stay words and missing cells stay possible. A surrogate is fitted to
whether each column is *like* the row's: the same level, both missing, or a number in
the same quarter of the background's numbers. These are lime's own defaults (Ribeiro et
al., 2016, with discretised columns), but for numbers: they are drawn from those that
occur, where lime draws from a normal curve fitted to each quarter.
"""

import numpy as np

from skdnn.explain._explanation import Attributions
from skdnn.explain._target import Problem, Step

N_SAMPLES = 5000
RIDGE = 1.0  # lime's own
_KERNEL_WIDTH = 0.75  # lime's own, times the root of the number of columns


def explain_lime(
    problem: Problem, random_state: np.random.RandomState, seed, step: Step
) -> Attributions:
    """Return the surrogates' coefficients for every row, column and class.

    Parameters
    ----------
    problem : Problem
        What to explain.
    random_state : RandomState
        Draws one seed, from which each row draws its own rows.
    seed : object
        What the caller gave as `random_state`, kept in the result.
    step : callable
        Called after each row.
    """
    target = problem.target
    shape = (len(problem.X), target.n_features, target.n_classes)
    values, errors = np.empty(shape), np.empty(shape)
    base, score = np.empty(shape[::2]), np.empty(shape[::2])
    bins = Bins(problem)
    # all rows from the same seed: what is told of a row does not hang on the others
    row_seed = int(random_state.randint(2**31 - 1))
    for i, row in enumerate(problem.X):
        like, output = sample_around(problem, bins, row, row_seed)
        surrogate = fit_surrogate(like, output)
        base[i], values[i], errors[i], score[i] = surrogate
        step()
    return Attributions(
        values=values,
        std_errors=errors,
        base_values=base,
        predictions=target.predict(problem.X),
        feature_names=target.feature_names,
        class_names=target.class_names,
        data=problem.data,
        method=f"{N_SAMPLES} rows around each",
        output=target.output,
        n_background=len(problem.background),
        random_state=seed,
        score=score,
    )


class Bins:
    """Which cells count as alike: levels as they are, numbers by quarters.

    Parameters
    ----------
    problem : Problem
        Its background rows make the quarters.
    """

    def __init__(self, problem: Problem):
        self._edges = []
        for j, column in enumerate(problem.target.columns):
            known = problem.background[:, j]
            known = known[~np.isnan(known)]
            numeric = column.is_numeric and len(known)
            self._edges.append(
                np.unique(np.quantile(known, [0.25, 0.5, 0.75])) if numeric else None
            )

    def of(self, rows: np.ndarray) -> np.ndarray:
        """Return the bin of each cell; missing cells have one of their own."""
        bins = np.empty(rows.shape)
        for j, edges in enumerate(self._edges):
            cells = rows[:, j]
            bins[:, j] = cells if edges is None else np.searchsorted(edges, cells)
        return np.where(np.isnan(rows), -1, bins)


def sample_around(
    problem: Problem, bins: Bins, row: np.ndarray, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Draw rows around one, itself first.

    Returns
    -------
    like : ndarray of shape (n_rows, n_features)
        Whether each cell is like the row's.
    output : ndarray of shape (n_rows, n_classes)
        What the classifier says of each.
    """
    background = problem.background
    draw = np.random.RandomState(seed)
    drawn = np.column_stack(
        [
            background[draw.randint(len(background), size=N_SAMPLES), j]
            for j in range(background.shape[1])
        ]
    )
    drawn[0] = row
    like = bins.of(drawn) == bins.of(row[None])
    return like, problem.target.predict(drawn)


def kernel_weights(like: np.ndarray) -> np.ndarray:
    """Return how much each row counts: the more cells are alike, the more."""
    unlike = like.shape[1] - like.sum(axis=1)
    width = _KERNEL_WIDTH * np.sqrt(like.shape[1])
    # lime's kernel of the Euclidean distance between rows of zeros and ones
    return np.sqrt(np.exp(-unlike / width**2))


def fit_surrogate(
    like: np.ndarray, output: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Fit one weighted ridge regression for all classes at once.

    Parameters
    ----------
    like : ndarray of shape (n_rows, n_features)
        Zeros and ones.
    output : ndarray of shape (n_rows, n_classes)
        What is to be approximated.

    Returns
    -------
    intercept : ndarray of shape (n_classes,)
    coefs, std_errors : ndarray of shape (n_features, n_classes)
        The errors hold for unequal variances (White, 1980).
    score : ndarray of shape (n_classes,)
        Weighted R², 0 for an output that does not vary.
    """
    weight = kernel_weights(like)
    total = weight.sum()
    Z = like.astype(float)
    Z_mean = weight @ Z / total
    y_mean = weight @ output / total
    Zc, yc = Z - Z_mean, output - y_mean
    bread = np.linalg.inv((Zc.T * weight) @ Zc + RIDGE * np.eye(Z.shape[1]))
    coefs = bread @ ((Zc.T * weight) @ yc)
    left = yc - Zc @ coefs
    projected = (Zc * weight[:, None]) @ bread
    errors = np.sqrt((projected**2).T @ left**2)
    spread = weight @ yc**2
    flat = spread <= 1e-12 * total
    score = 1 - (weight @ left**2) / np.where(flat, 1, spread)
    return y_mean - Z_mean @ coefs, coefs, errors, np.where(flat, 0.0, score)
