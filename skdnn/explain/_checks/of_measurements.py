"""Checks of what was measured with the classifier."""

import math

from skdnn.explain._checks.check import Answer, Measurements, NotApplicableError
from skdnn.explain._methods.data_support import USUAL
from skdnn.explain._results.attributions import Attributions
from skdnn.explain._results.frames import rows_by
from skdnn.explain._results.profiles import ACCUMULATED, Profiles
from skdnn.explain._results.result import Result
from skdnn.explain._text.formatting import count, fixed, percent, quote

_CHANCE = 0.05
# With fewer possible orders, chance often finds one as good.
_LEAST_ORDERS = 1000
_STABLE_MOVED, _STABLE_RANK = 0.2, 0.7
_AGREED_RANK, _AGREED_SIGN = 0.4, 0.7
_OFF_DATA = 1 / 3
_OFF_GRID = 0.1
_MOST_NAMED = 5
# Rounding that makes no order better than another.
_TIE = 1e-12


def deletion(result: Attributions, measured: Measurements) -> Answer:
    """Fire if random orders lower the prediction as fast more often than by chance."""
    curves = measured.get("deletion")
    if not result.values.any():
        raise NotApplicableError("All attributions are 0.")
    n_columns = result.values.shape[1]
    if curves.n_samples * math.lgamma(n_columns + 1) < math.log(_LEAST_ORDERS):
        few = "So few rows and columns have too few orders to compare with."
        raise NotApplicableError(few)
    n_as_good = int((curves.areas <= curves.area + _TIE).sum())
    is_beaten = (curves.areas < curves.area - _TIE).any()  # and not only tied
    return (
        bool(curves.chance > _CHANCE and is_beaten),
        f"Deleting columns in this order leaves a mean {curves.unit} of "
        f"{fixed(curves.area, 3)}, in random order {fixed(curves.areas.mean(), 3)}; "
        f"{n_as_good} of {len(curves.areas)} random orders are as good.",
    )


def stability(result: Attributions, measured: Measurements) -> Answer:
    """Fire if attributions or their order change with the seed."""
    table = measured.get("reruns").dropna(subset=["rank"])
    if not len(table):
        raise NotApplicableError("All columns have equal attributions: no ranks.")
    moved, rank = float(table["moved"].max()), float(table["rank"].min())
    seeds = count(len(table), "other seed")
    return (
        moved > _STABLE_MOVED or rank < _STABLE_RANK,
        f"Over {seeds}, attributions change by up to {percent(moved)} of their size; "
        f"the lowest rank correlation is {fixed(rank)}.",
    )


def agreement(result: Attributions, measured: Measurements) -> Answer:
    """Fire if other methods rank the columns otherwise, or differ in signs."""
    table = measured.get("agreement").dropna(subset=["rank", "sign"])
    if not len(table):
        raise NotApplicableError("There is nothing to compare.")
    worst = table.loc[table["rank"].idxmin()]
    sign = float(table["sign"].min())
    return (
        bool(worst["rank"] < _AGREED_RANK or sign < _AGREED_SIGN),
        f"The lowest rank correlation is {fixed(worst['rank'])}, between "
        f"{worst['method_a']} and {worst['method_b']}; signs agree for at least "
        f"{percent(sign)} of the weight.",
    )


def off_data(result: Attributions, measured: Measurements) -> Answer:
    """Fire if more than a third of the synthetic rows lie off the data."""
    share = measured.get("off_data")
    return (
        bool(share > _OFF_DATA),
        f"{percent(share)} of the synthetic rows lie off the data; of the data itself, "
        f"{percent(USUAL)} do.",
    )


def off_grid(result: Profiles, measured: Measurements) -> Answer:
    """Fire if most rows lie off the data at more than a tenth of the grid points."""
    if result.method == ACCUMULATED:
        raise NotApplicableError("Rows are moved only within the data.")
    grid = measured.get("off_grid")
    off = grid["off_data"] > 0.5
    rows_of = rows_by(grid["feature"])
    by_column = {name: off.iloc[rows].mean() for (name,), rows in rows_of.items()}
    most = max(by_column, key=lambda name: by_column[name])
    share = percent(float(off.mean()))
    words = f"At {share} of the grid points most rows lie off the data"
    if by_column[most] > 0:
        words += f", most often along {quote(most)}"
    return bool(off.mean() > _OFF_GRID), f"{words}."


def columns(result: Result, measured: Measurements) -> Answer:
    """Fire if a column of the background is not what it looks like."""
    problems = measured.get("columns")
    if not problems:
        return False, "No column looks like an identifier, a counter or misread words."
    first = [f"Column {quote(str(p.column))} {p.words}" for p in problems[:_MOST_NAMED]]
    more = len(problems) - len(first)
    first += [f"So do {count(more, 'other column')}."] if more else []
    return True, " ".join(first)
