"""Novelty as panels: p-values of all rows, moved columns, one row."""

import numpy as np

from skdnn.explain._model.options import check_count
from skdnn.explain._plots import canvas
from skdnn.explain._plots.canvas import Axes
from skdnn.explain._results.novelty import UNUSUAL, Novelty
from skdnn.explain._results.registry import register

_N_BINS = 20
_LEAST_P = 1e-12  # smaller ones are drawn as this


@register("plot", Novelty)
def plot_novelty(result: Novelty, sample: int | None, max_display: int) -> np.ndarray:
    """Draw one row, or the table as a whole; see ``Novelty.plot``."""
    check_count("max_display", max_display, 1)
    n_rows = min(max_display, result.contributions.shape[1])
    height = 0.34 * n_rows + 1.7
    if sample is not None:
        axes: np.ndarray = canvas.new_axes((6.8, height)).ravel()
        _draw_row(axes[0], result, sample, max_display)
        return axes
    axes = canvas.new_axes((13, max(3.6, height)), 1, 2).ravel()
    _draw_p_values(axes[0], result)
    _draw_drift(axes[1], result, max_display)
    return axes


def _draw_row(ax: Axes, result: Novelty, sample: int, max_display: int) -> None:
    """Draw the contributions of one row."""
    parts = result.contributions[sample]
    shown = np.argsort(-parts, kind="stable")[:max_display]
    ax.barh(range(len(shown)), parts[shown], color=canvas.UP)
    ax.set_xlabel("contribution to the score")
    columns = [
        canvas.short(result.feature_names[j], canvas.MAX_COLUMN, result.feature_names)
        for j in shown
    ]
    names = [
        f"{column} = {_cell(result, sample, j)}"
        for column, j in zip(columns, shown, strict=True)
    ]
    p_value = result.p_values[sample]
    title = f"Novelty: row {sample} (p = {p_value:.2g})"
    length = canvas.MAX_COLUMN + canvas.MAX_CELL + 3
    canvas.name_rows(ax, names, title, len(parts), length)


def _cell(result: Novelty, sample: int, j: int) -> str:
    value = result.data.iloc[sample, j]
    if isinstance(value, float | np.floating) and not np.isnan(value):
        value = f"{value:.4g}"
    return canvas.short(value, canvas.MAX_CELL)


def _draw_p_values(ax: Axes, result: Novelty) -> None:
    """Draw how often p-values occur, and how often they would by chance."""
    _, edges, bars = ax.hist(
        result.p_values, np.linspace(0, 1, _N_BINS + 1), color=canvas.DOWN
    )
    for bar, edge in zip(bars, edges[1:], strict=True):
        if edge <= UNUSUAL + 1e-9:
            bar.set_color(canvas.UP)
    ax.axhline(len(result.p_values) / _N_BINS, color="black", lw=1, ls="--",
               label="rows like the training rows")  # fmt: skip
    canvas.plain_legend(ax.legend, fontsize=9)
    ax.set_xlabel("p-value of the row")
    ax.set_ylabel("number of rows")
    ax.set_title(
        f"{result.n_unusual} of {len(result.p_values)} rows are unusual", fontsize=11
    )
    ax.spines[["top", "right"]].set_visible(False)


def _draw_drift(ax: Axes, result: Novelty, max_display: int) -> None:
    """Draw the adjusted p-values of all tests on a logarithmic axis."""
    table = result.drift.sort_values("p_value", kind="stable")
    shown = table.head(max_display)
    p_values = np.maximum(shown["p_holm"].to_numpy(), _LEAST_P)
    colors = np.where(p_values < UNUSUAL, canvas.UP, canvas.DOWN)
    ax.barh(range(len(shown)), -np.log10(p_values), color=colors)
    ax.axvline(-np.log10(UNUSUAL), color="black", lw=1, ls="--")
    ax.set_xlabel(f"-log10 of p after Holm's correction (dashed: {UNUSUAL})")
    of = [canvas.short(name, among=table["feature"]) for name in shown["feature"]]
    names = [f"{name}: {test}" for name, test in zip(of, shown["test"], strict=True)]
    title = "Columns that have moved"
    if len(table) > len(shown):
        title += f"\n{len(shown)} of {len(table)} tests"
    canvas.name_rows(ax, names, title, length=canvas.MAX_NAME + 22)
