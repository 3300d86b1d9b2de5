"""Checks of what was measured with the classifier."""

import math

from skdnn.explain._checks.base import Check, CheckInput, NotApplicableError
from skdnn.explain._methods.data_support import USUAL
from skdnn.explain._methods.deletion_curves import N_ORDERS
from skdnn.explain._text import formatting

_CHANCE = 0.05
# So many orders there must be at least; with fewer, a good one is often met by chance.
_LEAST_ORDERS = 1000
_STABLE_MOVED, _STABLE_RANK = 0.2, 0.7
_AGREED_RANK, _AGREED_SIGN = 0.4, 0.7
_OFF_DATA = 1 / 3
_OFF_GRID = 0.1


class Deletion(Check):
    """Whether the columns named first are those that the prediction hangs on."""

    code = "SKD104"
    title = "Deletion beats random order"
    severity = "high"
    remedy = (
        "Do not rely on the order of these columns; try explain.shap with "
        "method='auto', and more background rows."
    )

    def look(self, seen: CheckInput) -> tuple[bool, str]:
        """Fire if orders drawn at random do as well more often than chance."""
        result, curves = seen.attributions, seen.measured("deletion")
        if not result.values.any():
            raise NotApplicableError("No column has an attribution.")
        n_columns = result.values.shape[1]
        if curves.n_samples * math.lgamma(n_columns + 1) < math.log(_LEAST_ORDERS):
            raise NotApplicableError(
                "So few rows and columns have too few orders to compare with."
            )
        n_as_good = (curves.areas <= curves.area + 1e-12).sum()
        is_beaten = (curves.areas < curves.area - 1e-12).any()  # and not only met
        return (
            bool(curves.chance > _CHANCE and is_beaten),
            f"Taking columns away in this order leaves a mean {curves.unit} of "
            f"{formatting.fixed(curves.area, 3)}, in random order "
            f"{formatting.fixed(curves.areas.mean(), 3)}; {n_as_good} of "
            f"{N_ORDERS} random orders do as well.",
        )


class Stability(Check):
    """Whether another seed tells another story."""

    code = "SKD106"
    title = "Other seeds say the same"
    severity = "medium"
    remedy = (
        "Ask for less error (tolerance, max_evals), and hand over more background "
        "rows: each seed draws its own."
    )

    def look(self, seen: CheckInput) -> tuple[bool, str]:
        """Fire if attributions move, or their order does."""
        seen.attributions  # noqa: B018 - of attributions only
        reruns = seen.measured("reruns").dropna(subset=["rank"])
        if not len(reruns):
            raise NotApplicableError("All columns are as large: there are no ranks.")
        moved, rank = float(reruns["moved"].max()), float(reruns["rank"].min())
        return (
            moved > _STABLE_MOVED or rank < _STABLE_RANK,
            f"Over {formatting.count(len(reruns), 'other seed')} attributions move by "
            f"{formatting.percent(moved)} of their size, and the rank correlation is "
            f"{formatting.fixed(rank)}, at worst.",
        )


class Agreement(Check):
    """Whether other methods name the same columns."""

    code = "SKD107"
    title = "Methods agree"
    severity = "medium"
    remedy = (
        "Trust neither alone: look at explain.ceteris_paribus of these rows, and at "
        "columns that go together."
    )

    def look(self, seen: CheckInput) -> tuple[bool, str]:
        """Fire if ranks or signs differ."""
        seen.attributions  # noqa: B018 - of attributions only
        table = seen.measured("agreement").dropna(subset=["rank", "sign"])
        if not len(table):
            raise NotApplicableError("There is nothing to compare.")
        worst = table.loc[table["rank"].idxmin()]
        sign = float(table["sign"].min())
        return (
            bool(worst["rank"] < _AGREED_RANK or sign < _AGREED_SIGN),
            f"{worst['method_a']} and {worst['method_b']} agree least: rank "
            f"correlation {formatting.fixed(worst['rank'])}; equal signs for "
            f"{formatting.percent(sign)} of the weight at least.",
        )


class OffData(Check):
    """Whether the classifier was asked about rows that cannot be."""

    code = "SKD108"
    title = "Rows made up are like the data"
    severity = "medium"
    remedy = (
        "Columns go together. Put them in one group (groups=…), so that they are "
        "exchanged together, and read accumulated_local_effects beside this."
    )

    def look(self, seen: CheckInput) -> tuple[bool, str]:
        """Fire if more than a third of the rows lie where there is no data."""
        seen.attributions  # noqa: B018 - of attributions only
        share = seen.measured("off_data")
        return (
            share > _OFF_DATA,
            f"{formatting.percent(share)} of the rows that were made up lie off the "
            f"data, where {formatting.percent(USUAL)} of the data itself do.",
        )


class OffGrid(Check):
    """Whether curves run through places where there is no data."""

    code = "SKD111"
    title = "Curves stay within the data"
    severity = "medium"
    remedy = (
        "Do not read the curves there; explain.accumulated_local_effects moves rows "
        "only as far as the data goes."
    )

    def look(self, seen: CheckInput) -> tuple[bool, str]:
        """Fire if at a tenth of the places most rows lie off the data."""
        from skdnn.explain._results.profiles import Profiles

        if not isinstance(seen.result, Profiles):
            raise NotApplicableError("It is about curves along columns.")
        if seen.result.method == "Accumulated local effects":
            raise NotApplicableError("Rows are moved only as far as the data goes.")
        grid = seen.measured("off_grid")
        off = grid["off_data"] > 0.5
        by_column = off.groupby(grid["feature"], sort=False).mean()
        name, worst = by_column.idxmax(), by_column.max()
        words = (
            f"At {formatting.percent(float(off.mean()))} of the places most rows lie "
            "off the data"
        )
        if worst > 0:
            words += f", most of all along {formatting.quote(str(name))}"
        return bool(off.mean() > _OFF_GRID), f"{words}."
