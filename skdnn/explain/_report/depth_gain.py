"""What the classifier does that logistic regression, on the same rows, does not.

Curves that are not those of a linear model, pairs of columns that act together, and
kinds of rows that only one of the two predicts correctly.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np

from skdnn.explain._methods.data_support import code_of
from skdnn.explain._model.columns import OTHERS
from skdnn.explain._model.target import Problem
from skdnn.explain._report.cells import cell_text
from skdnn.explain._report.rivals import LOGISTIC_REGRESSION, Rival
from skdnn.explain._report.rows_used import MAX_AVERAGED, draw_rows
from skdnn.explain._results.frames import rows_by
from skdnn.explain._results.intervals import holm
from skdnn.explain._results.profiles import Profiles

_N_COLUMNS = 4  # whose pairs are compared
_N_ROWS, _N_DRAWS = 30, 3  # of a pair
_MIN_GROUP = 10  # rows of a group
_N_BINS = 4  # of a numeric column
_SMALLEST = 1e-6  # probability whose logarithm is taken
_LEVEL = 0.05  # of the tests of all groups together

Predict = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class CurveGain:
    """Partial dependence of logistic regression, (n_grid, n_classes), of one column.

    `largest` is the largest distance to the classifier's curve when both have mean 0,
    and `code` the class that it is of.
    """

    feature: str
    linear: np.ndarray
    largest: float
    code: int


@dataclass(frozen=True)
class PairGain:
    """How much more two columns change the odds together than the product of both.

    Root mean squares over rows of the log of that factor, the mean of several draws of
    rows: `value` of the classifier with its standard error over the draws, `linear` of
    logistic regression, of which it is 0 up to rounding.
    """

    features: tuple[str, str]
    value: float
    std_error: float
    linear: float
    code: int


@dataclass(frozen=True)
class GroupGain:
    """Rows of one kind that the classifier and logistic regression predict differently.

    `p_value` is of an exact sign test, after Holm's correction for all kinds of rows.
    """

    feature: str
    group: str
    n: int
    n_right: int
    n_linear_right: int
    p_value: float


@dataclass(frozen=True)
class DepthGain:
    """What was gained by a deep network: see the module."""

    curves: tuple[CurveGain, ...]
    pairs: tuple[PairGain, ...]
    groups: tuple[GroupGain, ...]
    n_groups: int


def measure_depth_gain(
    problem: Problem,
    codes: np.ndarray,
    predicted: np.ndarray,
    rivals: Sequence[Rival],
    profiles: Profiles,
    seed: int,
) -> DepthGain | None:
    """Compare the classifier with logistic regression; None where there is none.

    `profiles` are curves of the classifier over rows drawn with the same seed.
    """
    known = [r for r in rivals if r.name == LOGISTIC_REGRESSION and r.model is not None]
    if not known:
        return None
    linear = known[0]
    rows = problem.X[draw_rows(len(problem.X), MAX_AVERAGED, seed)]
    curves = _curves(problem, rows, profiles, linear.model.predict_proba)
    position = {column.name: j for j, column in enumerate(problem.target.columns)}
    first = [position[curve.feature] for curve in curves][:_N_COLUMNS]
    groups, n_groups = _groups(problem, codes, predicted, linear.predicted)
    return DepthGain(
        curves=tuple(curves),
        pairs=tuple(_pairs(problem, rows, first, linear.model.predict_proba, seed)),
        groups=tuple(groups),
        n_groups=n_groups,
    )


def _curves(
    problem: Problem, rows: np.ndarray, profiles: Profiles, linear: Predict
) -> list[CurveGain]:
    """Average the predictions of logistic regression along the grid of each curve."""
    columns = {column.name: j for j, column in enumerate(problem.target.columns)}
    names = [str(label) for label in problem.target.class_names.tolist()]
    gains = []
    for (feature,), where in rows_by(profiles.table["feature"]).items():
        part, j = profiles.table.iloc[where], columns[feature]
        label = part["class"].astype(str).to_numpy()
        grid = part["x"][label == label[0]].tolist()
        own = np.stack([part["value"].to_numpy()[label == name] for name in names], 1)
        codes = np.array([code_of(problem.target.columns[j], cell) for cell in grid])
        # which levels the others are is not known here
        is_known = codes != OTHERS
        moved = np.tile(rows, (int(is_known.sum()), 1))
        moved[:, j] = np.repeat(codes[is_known], len(rows))
        curve = np.full((len(grid), len(names)), np.nan)
        if is_known.any():
            means = linear(moved).reshape(-1, len(rows), len(names)).mean(axis=1)
            curve[is_known] = means
        distance = np.zeros((1, len(names)))
        if is_known.any():
            distance = np.abs(_centred(own[is_known]) - _centred(curve[is_known]))
        largest = distance.max(axis=0)
        code = _first_class(problem, largest)
        gains.append(CurveGain(feature, curve, float(largest[code]), code))
    return gains


def _first_class(problem: Problem, sizes: np.ndarray) -> int:
    """Return the class with the largest size; of two, which are equal, the positive."""
    positive = problem.target.positive
    return int(sizes.argmax()) if positive is None else positive


def _centred(values: np.ndarray) -> np.ndarray:
    return np.asarray(values - values.mean(axis=0))


def _pairs(
    problem: Problem,
    rows: np.ndarray,
    columns: Sequence[int],
    linear: Predict,
    seed: int,
) -> list[PairGain]:
    """Return how far pairs of columns act together, the strongest pair first."""
    target, draw = problem.target, np.random.default_rng(seed)
    pairs = list(combinations(columns, 2))
    own, theirs = [], []
    for _ in range(_N_DRAWS if pairs else 0):
        some = rows[draw.permutation(len(rows))[:_N_ROWS]]
        own.append(joint_effects(lambda X: _log_odds(target.predict(X)), some, pairs))
        theirs.append(joint_effects(lambda X: _log_odds(linear(X)), some, pairs))
    gains = []
    for i, (a, b) in enumerate(pairs):
        values = np.array([one[i] for one in own])
        code = _first_class(problem, values.mean(axis=0))
        of_class = values[:, code]
        gains.append(
            PairGain(
                (target.columns[a].name, target.columns[b].name),
                float(of_class.mean()),
                float(of_class.std(ddof=1) / np.sqrt(len(of_class))),
                float(np.mean([one[i][code] for one in theirs])),
                code,
            )
        )
    return sorted(gains, key=lambda gain: -gain.value)


def _log_odds(proba: np.ndarray) -> np.ndarray:
    """Return what logistic regression adds up: log odds of two classes.

    Of several, the logarithm minus its mean over the classes, of which the log odds of
    any two classes are differences.
    """
    logs = np.log(np.clip(proba, _SMALLEST, 1))
    centred = logs - logs.mean(axis=1, keepdims=True)
    return np.asarray(2 * centred if proba.shape[1] == 2 else centred)


def joint_effects(
    predict: Predict, rows: np.ndarray, pairs: Sequence[tuple[int, int]]
) -> np.ndarray:
    """Return the root mean square of each joint effect, (n_pairs, n_classes).

    The joint effect of two columns is their partial dependence minus those of each,
    all centred at the rows: the square root of the numerator of the H² statistic
    (Friedman and Popescu, 2008, Predictive learning via rule ensembles, equation 44).
    """
    columns = dict.fromkeys(j for pair in pairs for j in pair)
    single = {j: _centred(_dependence(predict, rows, [j])) for j in columns}
    effects = []
    for a, b in pairs:
        both = _centred(_dependence(predict, rows, [a, b]))
        joint = both - single[a] - single[b]
        effects.append(np.sqrt((joint**2).mean(axis=0)))
    return np.array(effects)


def _dependence(
    predict: Predict, rows: np.ndarray, columns: Sequence[int]
) -> np.ndarray:
    """Return partial dependence at the values of each row, (n_rows, n_classes)."""
    n = len(rows)
    moved = np.repeat(rows[None], n, axis=0)
    moved[:, :, columns] = rows[:, None, columns]
    output = predict(moved.reshape(n * n, -1))
    return np.asarray(output.reshape(n, n, -1).mean(axis=1))


def _groups(
    problem: Problem, codes: np.ndarray, predicted: np.ndarray, linear: np.ndarray
) -> tuple[list[GroupGain], int]:
    """Return groups that only one predicts correctly, and the number of groups."""
    from scipy.stats import binomtest

    right, linear_right = predicted == codes, linear == codes
    tested, values = [], []
    for j, column in enumerate(problem.target.columns):
        for name, is_in in _kinds(problem, j):
            if is_in.sum() < _MIN_GROUP:
                continue
            more = int((right & ~linear_right & is_in).sum())
            fewer = int((linear_right & ~right & is_in).sum())
            p = binomtest(more, more + fewer).pvalue if more + fewer else 1.0
            values.append(float(p))
            counts = (int(is_in.sum()), int(right[is_in].sum()))
            tested.append((column.name, name, *counts, int(linear_right[is_in].sum())))
    corrected = holm(np.array(values)).tolist()
    gains = [
        GroupGain(*group, p_value=p)
        for group, p in zip(tested, corrected, strict=True)
        if p < _LEVEL
    ]
    return sorted(gains, key=lambda gain: gain.p_value), len(tested)


def _kinds(problem: Problem, j: int) -> list[tuple[str, np.ndarray]]:
    """Return the kinds of rows by one column: quarters of numbers, or levels."""
    column, cells = problem.target.columns[j], problem.X[:, j]
    if not column.is_numeric:
        shown = problem.data[:, j]
        levels, first = np.unique(cells, return_index=True)
        return [
            (cell_text(shown[i]), cells == level)
            for level, i in zip(levels, first, strict=True)
        ]
    finite = np.isfinite(cells)
    kinds = [("missing", ~finite)] if (~finite).any() else []
    if not finite.any():
        return kinds
    edges = np.unique(np.quantile(cells[finite], np.linspace(0, 1, _N_BINS + 1)))
    for i, (low, high) in enumerate(pairwise(edges.tolist())):
        is_last = i == len(edges) - 2
        is_in = (cells >= low) & ((cells <= high) if is_last else (cells < high))
        word = "to" if is_last else "to below"
        kinds.append(
            (f"{cell_text(float(low))} {word} {cell_text(float(high))}", is_in)
        )
    return kinds
