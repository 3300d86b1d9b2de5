"""Profiles and tables on matplotlib Axes. Nothing is computed here but places."""

import numpy as np
import pandas as pd

from skdnn.explain._plots import (
    COLORS,
    GREY,
    MOST_CLASS,
    axes_of,
    check_most,
    label_x,
    legend_of,
    name_rows,
    short,
)
from skdnn.explain._target import check_option


def plot_profiles(result, feature, max_display, ax):
    """Draw profiles; see ``Profiles.plot``."""
    check_most(max_display)
    table = result.frame()
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


def plot_table(result, max_display, ax):
    """Draw a small table as bars; see ``Table.plot``."""
    check_most(max_display)
    table = result.frame()
    if result.kind == "agreement":
        labels = table["method_a"] + " and " + table["method_b"]
        ax = axes_of(ax, (6.4, 0.6 * len(table) + 1.2))
        ax.barh(range(len(table)), table["rank"].fillna(0), color=COLORS[0])
        ax.set_xlim(min(0, table["rank"].min() * 1.1), 1)
        ax.set_xlabel("rank correlation (1: the same order)")
        return name_rows(ax, labels, result.title)
    table = table.sort_values("importance", ascending=False, kind="stable")
    shown = table.head(max_display)
    ax = axes_of(ax, (6.4, 0.34 * len(shown) + 1.3))
    reach = [
        shown["importance"] - shown["ci_low"],
        shown["ci_high"] - shown["importance"],
    ]
    ax.barh(range(len(shown)), shown["importance"], color=COLORS[0], alpha=0.85)
    ax.errorbar(
        shown["importance"], range(len(shown)), xerr=np.array(reach), fmt="none",
        ecolor="black", elinewidth=1, capsize=2,
    )  # fmt: skip
    ax.axvline(0, color=GREY, lw=0.8)
    ax.set_xlabel("drop of the score when shuffled (95 % interval)")
    return name_rows(ax, shown["feature"], result.title, len(table))


def _profile(result, table, name, ax, legend=True):
    """Draw one column's profile: a line or a group of bars a class."""
    classes = list(dict.fromkeys(table["class"]))
    x = table["x"].infer_objects()
    numeric = pd.api.types.is_numeric_dtype(x) and not pd.api.types.is_bool_dtype(x)
    for place, label in enumerate(classes):
        part = table[table["class"] == label]
        color = COLORS[place % len(COLORS)]
        if "sample" in part and numeric:
            for _, curve in part.groupby("sample"):
                x = curve["x"].astype(float)
                ax.plot(x, curve["value"], color=color, lw=0.5, alpha=0.25)
        mean = part.groupby("x", sort=numeric, dropna=False, observed=True)[
            "value"
        ].mean()
        if numeric:
            x = mean.index.to_numpy(dtype=float)
            ax.plot(
                x, mean, color=color, lw=1.8, label=short(label, MOST_CLASS),
                ls="-" if place < len(COLORS) else "--",
                marker="o" if len(mean) < 12 else None, ms=3.5,
            )  # fmt: skip
        else:
            width = 0.8 / len(classes)
            at = np.arange(len(mean)) - 0.4 + width * (place + 0.5)
            ax.bar(at, mean, width=width, color=color, label=short(label, MOST_CLASS))
    if numeric:
        deciles = result.ticks.get(name, ())
        ax.plot(
            deciles, np.zeros(len(deciles)), "|", color="black", ms=7, clip_on=False,
            transform=ax.get_xaxis_transform(),
        )  # fmt: skip
    else:
        levels = [short(level, 14) for level in mean.index]
        turned = 30 if len(levels) > 3 else 0
        ax.set_xticks(range(len(levels)), levels, rotation=turned, parse_math=False)
    label_x(ax, short(name))
    ax.set_ylabel("probability")
    ax.spines[["top", "right"]].set_visible(False)
    if legend:
        ax.set_title(result.title, fontsize=11)
        legend_of(ax, "class")
    return ax
