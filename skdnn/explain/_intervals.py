"""How far numbers may be off: quantiles, adjusted probabilities, ranges of ranks."""

import numpy as np


def t_quantile(level: float, df=None):
    """Return how many standard errors an interval reaches to either side.

    Parameters
    ----------
    level : float
        Share of such intervals that hold the true value.
    df : int, ndarray or None
        Degrees of freedom of the standard errors; None is without end.

    Raises
    ------
    ValueError
        If the level is not between 0 and 1.

    Examples
    --------
    >>> round(float(t_quantile(0.95, 19)), 3)
    2.093
    """
    from scipy.special import ndtri, stdtrit

    if not 0 < level < 1:
        raise ValueError(f"`level` must be between 0 and 1. Got {level!r}.")
    tail = (1 + level) / 2
    return ndtri(tail) if df is None else stdtrit(df, tail)
