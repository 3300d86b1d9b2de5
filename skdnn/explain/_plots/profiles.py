"""Profiles as curves and bars; pairs of columns as maps."""

from typing import Any

import numpy as np
import pandas as pd

from skdnn.explain._model.options import check_count, check_option
from skdnn.explain._plots import canvas
from skdnn.explain._plots.canvas import Axes
from skdnn.explain._plots.classes import check_no_target, choose
from skdnn.explain._plots.curves import draw_column
from skdnn.explain._plots.maps import draw_maps
from skdnn.explain._results.frames import rows_by
from skdnn.explain._results.profiles import Profiles
from skdnn.explain._results.registry import register
from skdnn.explain._results.result import class_position, sample_position

_COLUMNS = 3  # Axes side by side
_PANEL = (4.4, 3.1)  # inches
_MARGIN = 0.6
# widths in inches of what a legend has beside each name, and of a letter
_ENTRY, _LETTER = 0.9, 0.1
# Curves that move less, as a share of what all curves span, are drawn as flat lines.
_FLAT = 0.01
# Where all probabilities are as near as this to 0 or 1, the axis is that of log odds.
_NEAR = 0.02


@register("plot", Profiles)
def plot_profiles(
    result: Profiles,
    feature: Any,
    sample: Any,
    target_class: Any,
    classes: Any,
    max_display: Any,
    ax: Axes | None,
) -> Axes | np.ndarray:
    """Draw profiles; see ``Profiles.plot``."""
    check_count("max_display", max_display, 1)
    check_no_target(target_class, classes)
    table = _part(result.frame(), sample, target_class)
    if "feature_2" in table:
        return draw_maps(table, result.unit, feature, classes, max_display, ax)
    names = list(dict.fromkeys(table["feature"]))
    if feature is not None:
        check_option("feature", feature, names)
        ax = canvas.axes_of(ax, (5.4, 3.8))
        _, labels, spans = _spans(table[table["feature"] == feature])
        chosen = choose(labels, spans.sum(axis=0), classes)
        is_saturated = _is_saturated(result.unit, table[table["feature"] == feature])
        draw_column(result, table, feature, chosen, ax, is_saturated)
        if is_saturated:
            canvas.use_log_odds([ax], result.unit)
        ax.set_title(result.title, fontsize=11)
        canvas.legend_of(ax)
        return ax
    if ax is not None:
        raise ValueError("`ax` holds one column: name it with `feature`. Got None.")
    return _draw_columns(result, table, classes, max_display)


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


def _spans(table: pd.DataFrame) -> tuple[list[str], list[Any], np.ndarray]:
    """Return columns, classes, and how far curves move: (n_features, n_classes).

    Where each row has its own curve, that is the curve that moves most.
    """
    names = list(dict.fromkeys(table["feature"]))
    labels = list(dict.fromkeys(table["class"]))
    spans = np.zeros((len(names), len(labels)))
    values = table["value"].to_numpy(float)
    keys = [table[name] for name in ("feature", "class", "sample") if name in table]
    places = {name: i for i, name in enumerate(names)}
    classes = {label: k for k, label in enumerate(labels)}
    for (name, label, *_), rows in rows_by(*keys).items():
        at = places[name], classes[label]
        curve = values[rows]
        spans[at] = max(spans[at], np.nan_to_num(np.ptp(curve)))
    return names, labels, spans


def _is_saturated(unit: str, table: pd.DataFrame) -> bool:
    """Return whether all probabilities are too near to 0 and 1 to be distinguished."""
    values = table["value"].to_numpy(float)
    values = values[np.isfinite(values)]
    is_probability = unit.endswith("probability") and not unit.startswith("change")
    distance = np.minimum(values, 1 - values)
    return is_probability and bool((distance < _NEAR).all() and (distance > 0).any())


def _draw_columns(
    result: Profiles, table: pd.DataFrame, classes: Any, max_display: int
) -> np.ndarray:
    """Draw each column in its own Axes; of many, those whose curves vary most."""
    all_names, labels, spans = _spans(table)
    chosen = choose(labels, spans.sum(axis=0), classes)
    drawn = [*chosen.colored, *chosen.others]
    moves = dict(zip(all_names, spans[:, drawn].max(axis=1), strict=True))
    shown_labels = [labels[k] for k in drawn]
    is_drawn = [label in shown_labels for label in table["class"]]
    reach = float(np.ptp(table["value"].to_numpy(float)[is_drawn]))
    names, note = _shown_columns(moves, reach, max_display)
    columns = min(_COLUMNS, len(names))
    n_rows = -(-len(names) // columns)
    size = (_PANEL[0] * columns, _PANEL[1] * n_rows)
    is_saturated = _is_saturated(result.unit, table[table["feature"].isin(names)])
    axes: np.ndarray = canvas.new_axes(size, n_rows, columns, sharey=True)
    for place, name in zip(axes.flat, names, strict=False):
        draw_column(result, table, name, chosen, place, is_saturated)
    if is_saturated:
        canvas.use_log_odds(list(axes.flat[: len(names)]), result.unit)
    for place in axes.flat[len(names) :]:
        place.set_axis_off()
    figure = axes[0, 0].figure
    shown = axes[0, 0].get_legend_handles_labels()
    longest = max(map(len, shown[1]))
    n_columns = int(size[0] / (_ENTRY + _LETTER * longest))
    look = {"loc": "outside upper center", "ncols": max(1, n_columns)}
    canvas.plain_legend(figure.legend, *shown, **look)
    if note:
        figure.supxlabel(note, fontsize=10)
    return axes


def _shown_columns(
    moves: dict[str, float], reach: float, max_display: int
) -> tuple[list[str], str]:
    """Return the columns that are drawn, and how many are left out, and why.

    `moves` is how far the curves of each column move, `reach` what all curves span.
    """
    n_all, least = len(moves), _FLAT * reach
    varying = [name for name in moves if moves[name] > least]
    varying = varying or [max(moves, key=lambda name: moves[name])]
    n_flat = n_all - len(varying)
    n_rows = canvas.n_fitting(max_display, _PANEL[1], _MARGIN, None)
    n_shown = min(max_display, _COLUMNS * n_rows)
    if len(varying) > n_shown:
        order = sorted(varying, key=lambda name: -moves[name])
        shown = order[:n_shown]
    else:
        shown = varying
    notes = [
        f"{n_flat} with flat curves" if n_flat else "",
        f"{len(varying) - len(shown)} that vary less" if shown != varying else "",
    ]
    reasons = " and ".join(note for note in notes if note)
    text = f"{len(shown)} of {n_all} columns; left out: {reasons}" if reasons else ""
    return shown, text
