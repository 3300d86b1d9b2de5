"""The linear surrogate of LIME: weighted least squares for all outputs at once."""

from dataclasses import dataclass

import numpy as np

# Keeps effects of what never moves at 0, in proportion to the rows.
_LEAST_RIDGE = 1e-9


@dataclass(frozen=True)
class Surrogate:
    """A linear model of every output around one row."""

    intercept: np.ndarray  # the output where all features are 0
    coefs: np.ndarray  # (n_players, n_outputs)
    errors: np.ndarray  # standard errors of `coefs`
    score: np.ndarray  # weighted R², 0 for a constant output
    adjusted_score: np.ndarray  # the same for the number of features (Theil, 1961)


def fit_surrogate(
    features: np.ndarray,
    output: np.ndarray,
    terms: np.ndarray | None = None,
    *,
    weights: np.ndarray | None = None,
    ridge: float | None = None,
    is_mirrored: bool = False,
) -> Surrogate:
    """Fit a linear model of `output`, (n_rows, n_outputs), and its standard errors.

    `features` have shape (n_rows, n_players); `terms`, (n_rows, n_terms), are more
    features, whose effects are not returned. Errors allow unequal variances (White,
    1980), and if the second half of the rows mirrors the first, correlated pairs.
    """
    n, d = features.shape
    weight = np.ones(n) if weights is None else weights
    total = weight.sum()
    F = features if terms is None else np.hstack([features, terms])
    F_mean, y_mean = weight @ F / total, weight @ output / total
    Fc, yc = F - F_mean, output - y_mean
    spread = weight @ yc**2
    is_constant = spread <= 1e-12 * total
    yc[:, is_constant] = 0  # and not rounding
    ridge = _LEAST_RIDGE * n if ridge is None else ridge
    bread = np.linalg.inv((Fc.T * weight) @ Fc + ridge * np.eye(F.shape[1]))
    solved = bread @ ((Fc.T * weight) @ yc)
    left = yc - Fc @ solved
    projected = (Fc * weight[:, None]) @ bread[:, :d]
    squares = (projected**2).T @ left**2
    if is_mirrored:
        pairs, ends = (np.split(part, 2) for part in (projected, left))
        squares += 2 * (pairs[0] * pairs[1]).T @ (ends[0] * ends[1])
    # effects are those of differences within pairs
    n_units = n // 2 if is_mirrored else n
    errors = np.sqrt(squares.clip(0) * n_units / max(1, n_units - F.shape[1] - 1))
    unexplained = weight @ left**2 / np.where(is_constant, 1, spread)
    score, adjusted = (
        np.where(is_constant, 0.0, 1 - unexplained * share)
        for share in (1.0, (n - 1) / max(1, n - F.shape[1] - 1))
    )
    return Surrogate(y_mean - F_mean @ solved, solved[:d], errors, score, adjusted)
