"""Break-down, importance, effects and counterfactuals on matplotlib Axes."""

import numpy as np
import pandas as pd

from skdnn.explain._plots.attributions import (
    COLORS,
    DOWN,
    GREY,
    MOST_CLASS,
    UP,
    axes_of,
    cell_name,
    check_most,
    label_x,
    legend_of,
    name_rows,
    plot_attributions,
    short,
)
from skdnn.explain._results.break_down import BreakDown
from skdnn.explain._results.counterfactuals import Counterfactuals
from skdnn.explain._results.registry import register
from skdnn.explain._results.summary import Summary, part_of, ranks_of
from skdnn.explain._results.tables import ResultTable


@register("plot", BreakDown)
def plot_break_down(result, kind, sample, target_class, max_display, ax):
    """Draw the steps from the base value to one prediction."""
    if kind != "waterfall":
        return plot_attributions(result, kind, sample, target_class, max_display, ax)
    check_most(max_display)
    sample = 0 if sample is None else result.sample_position(sample)
    if target_class is None:
        k = result.predictions[sample].argmax()
    else:
        k = result.class_position(target_class)
    order = result.orders[sample]
    shown = order if len(order) <= max_display else order[: max_display - 1]
    rest = order[len(shown) :]
    moves = [*result.values[sample, shown, k]]
    names = [cell_name(result, sample, j) for j in shown]
    if len(rest):
        moves.append(result.values[sample, rest, k].sum())
        names.append(f"{len(rest)} other columns")
    base, final = result.base_values[k], result.predictions[sample, k]
    starts = base + np.cumsum([0.0, *moves[:-1]])
    # the base value and the prediction stand as bars of their own
    lefts, widths = [0, *starts, 0], [base, *moves, final]
    colors = [GREY, *(UP if move >= 0 else DOWN for move in moves), GREY]
    told = [
        f"{base:.3f}",
        *(f"{round(m, 3) + 0.0:+.3f}" for m in moves),
        f"{final:.3f}",
    ]
    ax = axes_of(ax, (7.2, 0.38 * len(widths) + 1.7))
    rows = range(len(widths))
    ax.barh(rows, widths, left=lefts, color=colors, height=0.7)
    ends = np.add(lefts, widths)
    reach = np.ptp([*lefts, *ends]) or 1.0
    for row in rows:
        right = max(lefts[row], ends[row]) + 0.01 * reach
        ax.text(right, row, told[row], va="center", fontsize=8.5)
    low, high = min(*lefts, *ends), max(*lefts, *ends)
    ax.set_xlim(low - 0.02 * reach, high + 0.16 * reach)
    name = short(result.class_names[k])
    label_x(ax, f"{result.output.replace('_', ' ')} of {name}")
    title = f"{result.title}: row {sample}\nclass {name}"
    return name_rows(ax, ["on average", *names, "prediction"], title)


@register("plot", ResultTable)
def plot_table(result, max_display, ax):
    """Draw a small table as bars; see ``Table.plot``."""
    check_most(max_display)
    draw = {
        "agreement": _agreement,
        "effects": _effects,
        "importance": _importance,
    }[result.kind]
    return draw(result, result.frame(), max_display, ax)


@register("plot", Summary)
def plot_summary(result, max_display, ax):
    """Draw importances with their ranks, and effects; see ``Summary.plot``."""
    check_most(max_display)
    importance, effects = part_of(result, "importance"), part_of(result, "effect")
    if ax is None:
        import matplotlib.pyplot as plt

        key = [name for name in ("feature", "level") if name in effects]
        n_rows = min(max_display, len(effects[key].drop_duplicates()))
        n_classes = effects["class"].nunique()
        height = max(3.2, n_rows * (0.19 * n_classes + 0.14) + 1.3)
        ax = plt.subplots(1, 2, figsize=(13, height), layout="constrained")[1]
    first, second = ax
    shown = importance.head(max_display)
    first.barh(range(len(shown)), shown["value"], color=COLORS[0], alpha=0.85)
    _intervals(first, shown["value"], range(len(shown)), shown, 1)
    first.axvline(0, color=GREY, lw=0.8)
    first.set_xlabel("rise of the cross-entropy when shuffled, in nats (95 % interval)")
    names = [
        f"{short(name, 24)} (rank {rank})"
        for name, rank in zip(shown["feature"], ranks_of(shown), strict=True)
    ]
    name_rows(first, names, "Importance", len(importance), length=60)
    heading = f"Average conditional effects on the {result.unit}"
    told = ResultTable(effects.rename(columns={"value": "effect"}), heading, "effects")
    _effects(told, told.table, max_display, second)
    return np.array([first, second])


def _agreement(result, table, max_display, ax):
    table = table.head(max_display)
    labels = table["method_a"] + " and " + table["method_b"]
    ax = axes_of(ax, (6.4, 0.6 * len(table) + 1.2))
    ax.barh(range(len(table)), table["rank"].fillna(0), color=COLORS[0])
    ax.set_xlim(min(0, table["rank"].min() * 1.1), 1)
    ax.set_xlabel("rank correlation (1: the same order)")
    return name_rows(ax, labels, result.title)


def _importance(result, table, max_display, ax):
    table = table.sort_values("importance", ascending=False, kind="stable")
    shown = table.head(max_display)
    ax = axes_of(ax, (6.4, 0.34 * len(shown) + 1.3))
    ax.barh(range(len(shown)), shown["importance"], color=COLORS[0], alpha=0.85)
    _intervals(ax, shown["importance"], range(len(shown)), shown, 1)
    ax.axvline(0, color=GREY, lw=0.8)
    ax.set_xlabel("drop of the score when shuffled (95 % interval)")
    return name_rows(ax, shown["feature"], result.title, len(table))


def _effects(result, table, max_display, ax):
    """Draw effects as bars, each row on its own scale, with numbers beside them."""
    words = "level" in table
    key = ["feature", "level"] if words else ["feature"]
    groups = list(table.groupby(key, sort=False, dropna=False))
    shown = groups[:max_display]
    classes = list(dict.fromkeys(table["class"]))
    ax = axes_of(ax, (7.2, len(shown) * (0.19 * len(classes) + 0.14) + 1.3))
    height = 0.84 / len(classes)
    names = []
    for row, (_, part) in enumerate(shown):
        # units differ from column to column, and so lengths tell nothing across them
        scale = np.nanmax(np.abs(part[["effect", "ci_low", "ci_high"]].to_numpy()))
        scale = scale if scale > 0 else 1.0
        at = row - 0.42 + height * (np.arange(len(part)) + 0.5)
        lengths = part["effect"] / scale
        colors = [COLORS[classes.index(label) % len(COLORS)] for label in part["class"]]
        ax.barh(at, lengths, height=height, color=colors)
        _intervals(ax, lengths, at, part, scale)
        low = part["ci_low"].fillna(part["effect"]) / scale
        high = part["ci_high"].fillna(part["effect"]) / scale
        # beyond the interval, where there is one
        ends = np.where(lengths >= 0, np.maximum(high, 0), np.minimum(low, 0))
        for y, end, effect in zip(at, ends, part["effect"], strict=True):
            ax.annotate(
                f"{effect:+.3g}", (end, y), xytext=(4 if effect >= 0 else -4, 0),
                textcoords="offset points", va="center", fontsize=7.5,
                ha="left" if effect >= 0 else "right",
            )  # fmt: skip
        first = part.iloc[0]
        name = short(first["feature"], 24)
        if words and part["reference"].notna().any():
            ends = short(first["level"], 14), short(first["reference"], 14)
            name += f": {ends[0]} vs {ends[1]}"
        names.append(name)
    for place, label in enumerate(classes):
        color = COLORS[place % len(COLORS)]
        ax.plot([], [], "s", ms=8, color=color, label=short(label, MOST_CLASS))
    ax.axvline(0, color="black", lw=0.8)
    ax.set_xlim(-1.45, 1.45)
    ax.set_xticks([])
    unit = result.title.rpartition(" the ")[2]
    ax.set_xlabel(f"change of the {unit} per unit (bars: each column on its own scale)")
    legend_of(ax, "class")
    return name_rows(ax, names, result.title, len(groups), length=60)


def _intervals(ax, middles, at, table, scale):
    """Draw intervals where they are known."""
    low, high = table["ci_low"] / scale, table["ci_high"] / scale
    if low.notna().any():
        ax.errorbar(
            middles, at, xerr=np.array([middles - low, high - middles]), fmt="none",
            ecolor="black", elinewidth=1, capsize=2,
        )  # fmt: skip


@register("plot", Counterfactuals)
def plot_counterfactuals(result, max_display, ax):
    """Draw the cells that change as a table, before and after."""
    check_most(max_display)
    changes, table = result.changes(), result.frame()
    rows = table.index[:max_display]
    changes = changes[changes["row"] < len(rows)]
    columns = changes["feature"].value_counts(sort=False)
    columns = columns.sort_values(ascending=False, kind="stable").index[:max_display]
    ax = axes_of(ax, (max(5.4, 1.9 * len(columns) + 2.6), 0.4 * len(rows) + 1.7))
    for change in changes.itertuples():
        if change.feature not in columns:
            continue
        x = columns.get_loc(change.feature)
        color = _direction(change.old, change.new)
        ax.barh(change.row, 0.94, left=x - 0.47, height=0.84, color=color, alpha=0.25)
        ax.text(
            x, change.row, f"{_told(change.old)} → {_told(change.new)}", ha="center",
            va="center", fontsize=8.5, parse_math=False,
        )  # fmt: skip
    ax.set_xlim(-0.5, max(1, len(columns)) - 0.5)
    names = [short(name, 22) for name in columns]
    ax.set_xticks(range(len(names)), names, parse_math=False)
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    moved = set(changes["row"])
    labels = []
    for row in rows:
        sample, name = table["sample"][row], short(table["target"][row], 18)
        if not table["found"][row]:
            labels.append(f"row {sample}: no way to {name}")
        elif row in moved:
            labels.append(f"row {sample} → {name}")
        else:
            labels.append(f"row {sample}: is {name} already")
    cut = f"\n{len(rows)} of {len(table)} rows" if len(rows) < len(table) else ""
    ax = name_rows(ax, labels, result.title + cut)
    ax.spines[["left", "bottom"]].set_visible(False)
    return ax


def _direction(old, new) -> str:
    """Return the colour of a change: up, down, or to another word."""
    if not all(isinstance(cell, int | float | np.number) for cell in (old, new)):
        return GREY
    return UP if new > old else DOWN


def _told(cell) -> str:
    is_fraction = isinstance(cell, float | np.floating)
    return f"{cell:.4g}" if is_fraction and not pd.isna(cell) else short(cell, 12)
