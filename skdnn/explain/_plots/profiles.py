"""Profiles as curves and bars; pairs of columns as maps."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from skdnn.explain._model.options import check_count, check_option
from skdnn.explain._plots import canvas
from skdnn.explain._plots.canvas import Axes
from skdnn.explain._plots.maps import draw_maps
from skdnn.explain._results.frames import inferred, rows_by
from skdnn.explain._results.profiles import Profiles
from skdnn.explain._results.registry import register
from skdnn.explain._results.result import class_position, sample_position

_MAX_CURVES = 200  # of single rows in one plot
_FEW_POINTS = 12  # fewer have markers
_COLUMNS = 3  # Axes side by side
_LEGEND_COLUMNS = 6


@register("plot", Profiles)
def plot_profiles(
    result: Profiles,
    feature: Any,
    sample: Any,
    target_class: Any,
    max_display: Any,
    ax: Axes | None,
) -> Axes | np.ndarray:
    """Draw profiles; see ``Profiles.plot``."""
    check_count("max_display", max_display, 1)
    table = _part(result.frame(), sample, target_class)
    if "feature_2" in table:
        return draw_maps(table, result.unit, feature, max_display, ax)
    names = list(dict.fromkeys(table["feature"]))
    if feature is not None:
        check_option("feature", feature, names)
        ax = canvas.axes_of(ax, (5.4, 3.8))
        return _draw_column(result, table, feature, ax)
    if ax is not None:
        raise ValueError("`ax` holds one column: name it with `feature`. Got None.")
    return _draw_columns(result, table, names, max_display)


def _part(table: pd.DataFrame, sample: Any, target_class: Any) -> pd.DataFrame:
    """Return the curves of one row, of one class."""
    if sample is not None:
        if "sample" not in table:
            raise ValueError(
                f"`sample` must be None where all rows have one curve. Got {sample!r}."
            )
        at = sample_position(table["sample"].max() + 1, sample)
        table = table[table["sample"] == at]
    if target_class is not None:
        classes = table["class"].drop_duplicates().to_numpy()
        label = classes[class_position(classes, target_class)]
        table = table[table["class"] == label]
    return table


def _draw_columns(
    result: Profiles, table: pd.DataFrame, names: Sequence[str], max_display: int
) -> np.ndarray:
    """Draw each column in its own Axes; of many, those whose curves vary most."""
    n_all = len(names)
    if n_all > max_display:
        values, spans = table["value"].to_numpy(), dict.fromkeys(names, 0.0)
        for (name, _), rows in rows_by(table["feature"], table["class"]).items():
            spans[name] = max(spans[name], float(np.ptp(values[rows])))
        names = sorted(names, key=lambda name: -spans[name])[:max_display]
    columns = min(_COLUMNS, len(names))
    n_rows = -(-len(names) // columns)
    size = (4.4 * columns, 3.1 * n_rows)
    axes: np.ndarray = canvas.new_axes(size, n_rows, columns, sharey=True)
    for place, name in zip(axes.flat, names, strict=False):
        _draw_column(result, table, name, place, alone=False)
    for place in axes.flat[len(names) :]:
        place.set_axis_off()
    figure = axes[0, 0].figure
    shown = axes[0, 0].get_legend_handles_labels()
    look = {"loc": "outside upper center", "ncols": _LEGEND_COLUMNS}
    canvas.plain_legend(figure.legend, *shown, **look)
    if len(names) < n_all:
        figure.supxlabel(f"{len(names)} of {n_all} columns, those that vary most")
    return axes


def _draw_column(
    result: Profiles, table: pd.DataFrame, name: str, ax: Axes, alone: bool = True
) -> Axes:
    """Draw one column: a line or a group of bars per class."""
    label = canvas.short(name, among=table["feature"].unique())
    table = table[table["feature"] == name]
    x = inferred(table["x"])
    if pd.api.types.is_numeric_dtype(x) and not pd.api.types.is_bool_dtype(x):
        _draw_curves(result, table.assign(x=x.astype(float)), name, ax)
    else:
        _draw_bars(result, table, name, ax)
    if result.unit.startswith("change"):
        ax.axhline(0, color="black", lw=0.8)
    ax.set_xlabel(label, parse_math=False)
    ax.set_ylabel(result.unit)
    ax.spines[["top", "right"]].set_visible(False)
    if alone:
        ax.set_title(result.title, fontsize=11)
        canvas.legend_of(ax)
    return ax


def _by_class(table: pd.DataFrame) -> list[tuple[Any, pd.DataFrame]]:
    """Return the rows of each class."""
    rows_of = rows_by(table["class"])
    return [(label, table.iloc[rows]) for (label,), rows in rows_of.items()]


def _class_name(by_class: Sequence[tuple[Any, pd.DataFrame]], place: int) -> str:
    labels = [label for label, _ in by_class]
    return canvas.short(labels[place], canvas.MAX_CLASS, labels)


def _draw_curves(result: Profiles, table: pd.DataFrame, name: str, ax: Axes) -> None:
    """Draw a numeric column: each row's curve, or their mean, or both."""
    by_class = _by_class(table)
    for place, (_, part) in enumerate(by_class):
        look: dict[str, Any] = {
            "color": canvas.color_of(place),
            "ls": "-" if place < len(canvas.COLORS) else "--",
        }
        text = _class_name(by_class, place)
        if "sample" in part:
            _draw_rows(result, part, name, ax, look)
        if result.own is not None:
            ax.plot([], [], **look, lw=1.8, label=text)
            continue
        mean = part.groupby("x", dropna=False)["value"].mean()
        ax.plot(
            mean.index, mean, **look, lw=1.8, label=text,
            marker="o" if len(mean) < _FEW_POINTS else None, ms=3.5,
        )  # fmt: skip
        if result.n_refits and "sample" not in part:
            # the interval of another fit's curve
            low, high = (end[part.index] for end in result.refit_interval())
            ax.fill_between(part["x"], low, high, color=look["color"], alpha=0.15, lw=0)
    deciles = result.ticks.get(name, ())
    ax.plot(
        deciles, np.zeros(len(deciles)), "|", color="black", ms=7, clip_on=False,
        transform=ax.get_xaxis_transform(),
    )  # fmt: skip


def _draw_rows(
    result: Profiles, part: pd.DataFrame, name: str, ax: Axes, look: dict[str, Any]
) -> None:
    """Draw the curves of single rows for one class; of many rows, some."""
    samples = part["sample"].unique()
    shown = samples[:: -(-len(samples) // _MAX_CURVES)]
    is_thin = result.own is None or len(shown) > 1
    for sample in shown:
        curve = part[part["sample"] == sample]
        ax.plot(
            curve["x"], curve["value"], **look, lw=0.5 if is_thin else 1.8,
            alpha=0.25 if result.own is None else 0.8,
        )  # fmt: skip
        if result.own is not None:  # a dot at the row's own cell
            at = curve["x"] == result.own[name][sample]
            ax.plot(curve["x"][at], curve["value"][at], "o", ms=5, **look)


def _draw_bars(result: Profiles, table: pd.DataFrame, name: str, ax: Axes) -> None:
    """Draw a text column: a group of bars per category."""
    by_class = _by_class(table)
    for place, (_, part) in enumerate(by_class):
        rows_of = rows_by(part["x"])
        mean = [part["value"].iloc[rows].mean() for rows in rows_of.values()]
        width = 0.8 / len(by_class)
        at = np.arange(len(mean)) - 0.4 + width * (place + 0.5)
        text = _class_name(by_class, place)
        ax.bar(
            at,
            mean,
            width=width,
            color=canvas.color_of(place),
            label=text,
        )
        if result.n_refits and "sample" not in part:
            reach = (result.refit_interval()[1][part.index] - part["value"]).to_numpy()
            ax.errorbar(at, mean, reach, fmt="none", ecolor="black", elinewidth=0.8)
    known = [category for (category,) in rows_of]
    labels = [canvas.short(category, canvas.MAX_CELL, known) for category in known]
    if result.own is not None and table["sample"].nunique() == 1:
        own = result.own[name][table["sample"].iloc[0]]
        is_own = [(pd.isna(x) and pd.isna(own)) or x == own for (x,) in rows_of]
        labels[is_own.index(True)] += "\n(this row)"
    turned = 30 if len(labels) > 3 else 0
    ax.set_xticks(range(len(labels)), labels, rotation=turned, parse_math=False)
