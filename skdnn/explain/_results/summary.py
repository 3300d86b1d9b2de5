"""The summary of a classifier, as a result."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from skdnn.explain._results.attributions import Result


@dataclass(frozen=True)
class Summary(Result):
    """Importance and effect of every column, with what they may be off by.

    Attributes
    ----------
    table : DataFrame
        See `frame`.
    n_samples : int
        Rows that it was measured on.
    refits : str
        What members of an ensemble differ by, in words.
    n_importances, n_effects : int
        Numbers that `p_holm` is adjusted for.
    unit : str
        What effects are changes of, in words.
    n_refits : int
        Count of the members; 0 without.
    """

    table: pd.DataFrame
    n_samples: int
    refits: str
    n_importances: int
    n_effects: int
    unit: str
    n_refits: int = 0

    @property
    def title(self) -> str:
        """What the result is, in words."""
        spread = f" and {self.n_refits} {self.refits}" if self.n_refits else ""
        return f"Summary over {self.n_samples} rows{spread}"

    @property
    def multiplicity(self) -> str:
        """How many numbers were looked at, in a sentence."""
        return (
            f"{self.n_importances} importances and {self.n_effects} effects were "
            "looked at. Each interval alone holds its number in 95 of 100 cases, so "
            "that of many some will not; p_holm is adjusted for all importances, and "
            "for all effects. A range of ranks is a tie."
        )

    @property
    def warning(self) -> str:
        """What to be wary of, in a sentence; empty if there is nothing."""
        if not self.n_refits:
            return (
                "The classifier is no ensemble: how it would differ, fitted once more, "
                "is in none of these intervals. Fit DNNClassifier(n_estimators=20, "
                "bootstrap=True)."
            )
        if self.refits == "members (seeds)":
            return (
                "The members differ in their seeds alone: how the classifier would "
                "differ with other training rows is in none of these intervals. Set "
                "bootstrap=True."
            )
        return ""

    def frame(self) -> pd.DataFrame:
        """Return a row for each importance and each effect.

        Returns
        -------
        DataFrame
            Columns: measure ("importance" or "effect"), feature, class (None for
            importance), value, std_error, data_error, refit_error, ci_low, ci_high,
            p_holm, rank_low, rank_high (missing for effects); level and reference
            after feature where there are columns of words.
        """
        return self.table.copy()

    def _refitted(self) -> tuple[Any, Any]:
        return self.table["value"].to_numpy(), self.table["refit_error"].to_numpy()

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain data that ``json.dumps`` takes."""
        facts = (
            "n_samples", "n_refits", "refits", "n_importances", "n_effects",
            "multiplicity", "warning",
        )  # fmt: skip
        return {**super().to_dict(), **{name: getattr(self, name) for name in facts}}

    def plot(self, *, max_display=12, ax=None):
        """Draw importances with their ranks, and effects.

        Parameters
        ----------
        max_display : int, default=12
            Columns, or columns and levels, shown in each.
        ax : pair of matplotlib Axes, default=None
            Where to draw importances and effects; None makes a figure.

        Returns
        -------
        ndarray of matplotlib Axes of shape (2,)
        """
        from skdnn.explain._plots import tables

        return tables.plot_summary(self, max_display, ax)

    def _repr_html_(self) -> str:
        importance = part_of(self, "importance")
        importance["rank"] = ranks_of(importance)
        importance = importance.drop(columns=["rank_low", "rank_high"])
        parts = [
            f"<p>{name}</p>{_html(table)}"
            for name, table in (
                ("Importance: rise of the cross-entropy, in nats", importance),
                (f"Average conditional effects on the {self.unit}",
                 part_of(self, "effect")),
            )
        ]  # fmt: skip
        wary = f"<p><em>{self.warning}</em></p>" if self.warning else ""
        return (
            f"<div><strong>{self.title}</strong>{wary}{''.join(parts)}"
            f"<p>{self.multiplicity}</p></div>"
        )


def part_of(result: Summary, measure: str) -> pd.DataFrame:
    """Return the rows of one measure, without the columns that it has not."""
    table = result.frame()
    table = table[table["measure"] == measure].drop(columns="measure")
    if measure == "effect":
        return table.drop(columns=["rank_low", "rank_high"]).infer_objects()
    gone = [name for name in ("level", "reference", "class") if name in table]
    table = table.drop(columns=gone)
    return table.sort_values("value", ascending=False, kind="stable")


def ranks_of(table: pd.DataFrame) -> list[str]:
    """Return ranks in words: a range is a tie."""
    return [
        str(low) if low == high else f"{low}–{high}"
        for low, high in zip(table["rank_low"], table["rank_high"], strict=True)
    ]


def _html(table: pd.DataFrame) -> str:
    """Return a table of few digits."""
    shown = table.copy()
    for name in table.select_dtypes(np.floating).columns:
        shown[name] = [f"{value:.3g}" for value in table[name]]
    return shown.to_html(index=False, escape=True, border=0)
