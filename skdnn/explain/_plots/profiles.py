"""Profiles on matplotlib Axes: curves, bars and maps."""

import numpy as np
import pandas as pd

from skdnn.explain._model.options import check_option
from skdnn.explain._plots.attributions import (
    COLORS,
    MOST_CLASS,
    axes_of,
    check_most,
    label_x,
    legend_of,
    short,
)
from skdnn.explain._results.positions import class_position, sample_position
from skdnn.explain._results.profiles import Profiles
from skdnn.explain._results.registry import register

# Curves of single rows that one picture holds.
_MOST_CURVES = 200


@register("plot", Profiles)
def plot_profiles(result, feature, sample, target_class, max_display, ax):
    """Draw profiles; see ``Profiles.plot``."""
    check_most(max_display)
    table = _part(result.frame(), sample, target_class)
    if "feature_2" in table:
        return _plot_pairs(result, table, feature, max_display, ax)
    names = list(dict.fromkeys(table["feature"]))
    if feature is not None:
        check_option("feature", feature, names)
        ax = axes_of(ax, (5.4, 3.8))
        return _profile(result, table[table["feature"] == feature], feature, ax)
    if ax is not None:
        raise ValueError("`ax` holds one column: name it with `feature`. Got None.")
    import matplotlib.pyplot as plt

    n_all = len(names)
    if n_all > max_display:
        curves = table.groupby(["feature", "class"], sort=False)["value"]
        span = (curves.max() - curves.min()).groupby("feature", sort=False).max()
        names = span.sort_values(ascending=False, kind="stable").index[:max_display]
    columns = min(3, len(names))
    rows = -(-len(names) // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(4.4 * columns, 3.1 * rows), sharey=True,
        squeeze=False, layout="constrained",
    )  # fmt: skip
    for place, name in zip(axes.flat, names, strict=False):
        _profile(result, table[table["feature"] == name], name, place, legend=False)
    for place in axes.flat[len(names) :]:
        place.set_axis_off()
    handles, labels = axes.flat[0].get_legend_handles_labels()
    legend = figure.legend(
        handles, labels, loc="outside upper center", ncols=6, frameon=False
    )
    for text in legend.get_texts():
        text.set_parse_math(False)
    if len(names) < n_all:
        figure.supxlabel(f"{len(names)} of {n_all} columns, those that move most")
    return axes


def _part(table: pd.DataFrame, sample, target_class) -> pd.DataFrame:
    """Return the curves of one row, of one class."""
    if sample is not None:
        if "sample" not in table:
            raise ValueError(
                f"`sample` must be None where all rows have one curve. Got {sample!r}."
            )
        n = table["sample"].max() + 1
        table = table[table["sample"] == sample_position(n, sample)]
    if target_class is not None:
        classes = table["class"].drop_duplicates().to_numpy()
        label = classes[class_position(classes, target_class)]
        table = table[table["class"] == label]
    return table


def _profile(result, table, name, ax, legend=True):
    """Draw one column's profile: a line or a group of bars a class."""
    x = table["x"].infer_objects()
    if pd.api.types.is_numeric_dtype(x) and not pd.api.types.is_bool_dtype(x):
        _draw_curves(result, table.assign(x=x.astype(float)), name, ax)
    else:
        _draw_bars(result, table, name, ax)
    if result.unit.startswith("change"):
        ax.axhline(0, color="black", lw=0.8)
    label_x(ax, short(name))
    ax.set_ylabel(result.unit)
    ax.spines[["top", "right"]].set_visible(False)
    if legend:
        ax.set_title(result.title, fontsize=11)
        legend_of(ax, "class")
    return ax


def _draw_curves(result, table, name, ax):
    """Draw a column of numbers: each row's curve, or their mean, or both."""
    samples = table["sample"].unique() if "sample" in table else []
    shown = samples[:: -(-len(samples) // _MOST_CURVES)] if len(samples) else []
    for place, (label, part) in enumerate(table.groupby("class", sort=False)):
        look = {
            "color": COLORS[place % len(COLORS)],
            "ls": "-" if place < len(COLORS) else "--",
        }
        told = short(label, MOST_CLASS)
        for sample in shown:
            curve = part[part["sample"] == sample]
            is_thin = result.own is None or len(shown) > 1
            ax.plot(
                curve["x"], curve["value"], **look, lw=0.5 if is_thin else 1.8,
                alpha=0.25 if result.own is None else 0.8,
            )  # fmt: skip
            if result.own is not None:
                at = curve["x"] == result.own[name][sample]
                ax.plot(curve["x"][at], curve["value"][at], "o", ms=5, **look)
        if result.own is not None:
            ax.plot([], [], **look, lw=1.8, label=told)
            continue
        mean = part.groupby("x", dropna=False)["value"].mean()
        ax.plot(
            mean.index, mean, **look, lw=1.8, label=told,
            marker="o" if len(mean) < 12 else None, ms=3.5,
        )  # fmt: skip
        if result.n_refits and not len(samples):
            # where the curve of another fit would lie
            low, high = (end[part.index] for end in result.refit_interval())
            ax.fill_between(part["x"], low, high, color=look["color"], alpha=0.15, lw=0)
    deciles = result.ticks.get(name, ())
    ax.plot(
        deciles, np.zeros(len(deciles)), "|", color="black", ms=7, clip_on=False,
        transform=ax.get_xaxis_transform(),
    )  # fmt: skip


def _draw_bars(result, table, name, ax):
    """Draw a column of words: a group of bars a level."""
    by_class = list(table.groupby("class", sort=False))
    for place, (label, part) in enumerate(by_class):
        mean = part.groupby("x", sort=False, dropna=False)["value"].mean()
        width = 0.8 / len(by_class)
        at = np.arange(len(mean)) - 0.4 + width * (place + 0.5)
        ax.bar(
            at, mean, width=width, color=COLORS[place % len(COLORS)],
            label=short(label, MOST_CLASS),
        )  # fmt: skip
        if result.n_refits and "sample" not in part:
            reach = (result.refit_interval()[1][part.index] - part["value"]).to_numpy()
            ax.errorbar(at, mean, reach, fmt="none", ecolor="black", elinewidth=0.8)
    levels = [short(level, 14) for level in mean.index]
    own = () if result.own is None else result.own[name][table["sample"].unique()]
    if len(own) == 1:
        at = next(i for i, x in enumerate(mean.index) if _same(x, own[0]))
        levels[at] += "\n(as it is)"
    turned = 30 if len(levels) > 3 else 0
    ax.set_xticks(range(len(levels)), levels, rotation=turned, parse_math=False)


def _same(a, b) -> bool:
    return bool(pd.isna(a) and pd.isna(b)) or a == b


def _plot_pairs(result, table, feature, max_display, ax):
    """Draw a map of each pair of columns and class."""
    pairs = list(dict.fromkeys(zip(table["feature"], table["feature_2"], strict=True)))
    if feature is not None:
        feature = tuple(feature) if isinstance(feature, list) else feature
        check_option("feature", feature, pairs)
        pairs = [feature]
    pairs = pairs[:max_display]
    classes = list(dict.fromkeys(table["class"]))
    if ax is not None:
        if len(pairs) * len(classes) > 1:
            raise ValueError(
                "`ax` holds one pair of columns and one class: name them with "
                f"`feature` and `target_class`. Got {len(pairs)} and {len(classes)}."
            )
        axes = np.array([[ax]])
    else:
        import matplotlib.pyplot as plt

        axes = plt.subplots(
            len(pairs), len(classes), squeeze=False, layout="constrained",
            figsize=(3.6 * len(classes) + 0.8, 3.3 * len(pairs)),
        )[1]  # fmt: skip
    low, high = table["value"].min(), table["value"].max()
    for row, pair in zip(axes, pairs, strict=True):
        of_pair = (table["feature"] == pair[0]) & (table["feature_2"] == pair[1])
        for place, label in zip(row, classes, strict=True):
            drawn = _map(table[of_pair & (table["class"] == label)], place, low, high)
            place.set_title(short(label), fontsize=11, parse_math=False)
    bar = axes[0, 0].figure.colorbar(drawn, ax=axes.ravel().tolist(), pad=0.02)
    bar.set_label(result.unit)
    bar.outline.set_visible(False)
    return axes if ax is None else ax


def _map(table, ax, low, high):
    """Draw one class's output over two columns; words stand side by side."""
    sides = [list(dict.fromkeys(_keys(table[name]))) for name in ("x", "x_2")]
    values = table["value"].to_numpy().reshape(len(sides[0]), len(sides[1]))
    spans = []
    for side, set_ticks in zip(sides, (ax.set_xticks, ax.set_yticks), strict=True):
        if len(side) > 1 and all(isinstance(x, float) and x == x for x in side):
            spans.append(np.array(side))
        else:
            spans.append(np.arange(len(side)))
            names = [short(x, 14) for x in side]
            set_ticks(spans[-1], names, parse_math=False)
    label_x(ax, short(table["feature"].iloc[0]))
    ax.set_ylabel(short(table["feature_2"].iloc[0]), parse_math=False)
    edges = [_edges(span) for span in spans]
    return ax.pcolormesh(*edges, values.T, vmin=low, vmax=high, cmap="viridis")


def _keys(column: pd.Series) -> list:
    """Return cells that can be compared, one kind of missing ones among them."""
    return [None if pd.isna(cell) else cell for cell in column.infer_objects()]


def _edges(middles: np.ndarray) -> np.ndarray:
    """Return the ends of the fields around places."""
    between = (middles[1:] + middles[:-1]) / 2
    first, last = (0.5, 0.5) if len(middles) == 1 else (
        (middles[1] - middles[0]) / 2, (middles[-1] - middles[-2]) / 2
    )  # fmt: skip
    return np.concatenate([[middles[0] - first], between, [middles[-1] + last]])
