"""Performance as panels: confusion, curves, decisions, abstention, groups."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from skdnn.explain._model.options import check_count
from skdnn.explain._plots import canvas
from skdnn.explain._plots.canvas import Axes
from skdnn.explain._results.performance import (
    PREDICT,
    THRESHOLD,
    Performance,
    part_of,
)
from skdnn.explain._results.registry import register

_PANEL = (4.6, 4.0)  # inches
_MAX_COLUMNS = 4
_MAX_COUNTED = 12  # classes of a confusion matrix whose counts are written
_MAX_NAMED = 40  # classes of a confusion matrix that are named
_MAX_TICK = 13
_BAND = 0.2
_LABELS = {
    "prevalence": "share",
    "predicted_share": "predicted share",
    "false_positive_rate": "false positive rate",
    "false_negative_rate": "false negative rate",
    "roc_auc": "ROC AUC",
    "log_loss": "log loss",
    "predicted_minus_observed": "predicted less observed",
}
Panel = Callable[[Axes], None]


@register("plot", Performance)
def plot_performance(result: Performance, max_display: Any) -> np.ndarray:
    """Draw all panels of a performance; see ``Performance.plot``."""
    check_count("max_display", max_display, 1)
    shown = _shown_classes(result, max_display)
    panels: list[Panel] = [
        lambda ax: _confusion(ax, result),
        lambda ax: _curves(
            ax, result, shown, "roc", ("false_positive_rate", "true_positive_rate")
        ),
        lambda ax: _curves(
            ax, result, shown, "precision_recall", ("recall", "precision")
        ),
        lambda ax: _calibration(ax, result),
    ]
    if result.costs is not None and result.thresholds is not None:
        panels.append(lambda ax: _threshold_costs(ax, result))
    elif result.costs is not None:
        panels.append(lambda ax: _decision_costs(ax, result))
    elif result.thresholds is not None:
        panels.append(lambda ax: _thresholds(ax, result))
    panels.append(lambda ax: _abstention(ax, result))
    if result.differences is not None:
        panels.append(lambda ax: _differences(ax, result, 2 * max_display))
    n_columns = min(_MAX_COLUMNS, -(-len(panels) // 2))
    n_rows = -(-len(panels) // n_columns)
    size = _PANEL[0] * n_columns, _PANEL[1] * n_rows
    axes: np.ndarray = canvas.new_axes(size, n_rows, n_columns).ravel()
    for draw, ax in zip(panels, axes[: len(panels)], strict=True):
        draw(ax)
    for ax in axes[len(panels) :]:
        ax.remove()
    return axes[: len(panels)]


def _shown_classes(result: Performance, max_display: int) -> list[int]:
    """Return the positive one of two classes, or those with the lowest ROC AUC."""
    if result.positive_position is not None:
        return [result.positive_position]
    areas = result.table[result.table["score"] == "roc_auc"]
    values = [
        part_of(areas, label)["value"].iloc[0] for label in result.class_names
    ]  # fmt: skip
    known = [k for k in np.argsort(values, kind="stable") if np.isfinite(values[k])]
    return sorted(int(k) for k in known[:max_display])


def _finish(ax: Axes, title: str, x: str, y: str) -> None:
    ax.set_title(title, fontsize=11, parse_math=False)
    ax.set_xlabel(x, parse_math=False)
    ax.set_ylabel(y, parse_math=False)
    ax.spines[["top", "right"]].set_visible(False)


def _name(result: Performance, k: int, length: int = _MAX_TICK) -> str:
    return canvas.short(result.class_names[k], length, result.class_names)


def _confusion(ax: Axes, result: Performance) -> None:
    """Draw the share of each true class that is predicted as each class."""
    counts = result.confusion.to_numpy()
    total = counts.sum(axis=1, keepdims=True)
    shares = counts / np.maximum(total, 1)
    ax.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    n = len(counts)
    names = [_name(result, k) for k in range(n)]
    if n <= _MAX_NAMED:
        size = 9 if n <= _MAX_COUNTED else 6
        turn = 90 if n > 4 else 0
        ax.set_xticks(range(n), names, rotation=turn, fontsize=size, parse_math=False)
        ax.set_yticks(range(n), names, fontsize=size, parse_math=False)
    if n <= _MAX_COUNTED:
        for i, j in np.ndindex(n, n):
            color = "white" if shares[i, j] > 0.5 else "black"
            ax.text(j, i, str(counts[i, j]), ha="center", va="center", color=color,
                    fontsize=8)  # fmt: skip
    written = "rows" if n <= _MAX_COUNTED else "dark: a large share of the true class"
    _finish(ax, f"Confusion matrix ({written})", "predicted class", "true class")


def _title(result: Performance, title: str, shown: Sequence[int]) -> str:
    n_classes = len(result.class_names)
    if n_classes == 2:
        return title
    if len(shown) < n_classes:
        return f"{title}\n{len(shown)} of {n_classes} classes, the lowest ROC AUC"
    return f"{title}\neach class against the rest"


def _curves(
    ax: Axes,
    result: Performance,
    shown: Sequence[int],
    name: str,
    columns: tuple[str, str],
) -> None:
    """Draw the ROC or precision-recall curves of some classes."""
    curves, (x, y) = result.curves(name), columns
    score = {"roc": "roc_auc", "precision_recall": "average_precision"}[name]
    scores = result.table[result.table["score"] == score]
    for place, k in enumerate(shown):
        label = result.class_names[k]
        curve, row = part_of(curves, label), part_of(scores, label).iloc[0]
        text = f"{_name(result, k)}: {row['value']:.2f}"
        if pd.notna(row["ci_low"]):
            text += f" ({row['ci_low']:.2f} to {row['ci_high']:.2f})"
        color, dashes = canvas.color_of(place), "-"
        if place >= len(canvas.COLORS):  # the colours are used again
            dashes = "--"
        style = "steps-pre" if name == "precision_recall" else "default"
        ax.plot(curve[x], curve[y], color=color, ls=dashes, label=text,
                drawstyle=style)  # fmt: skip
    if name == "roc":
        ax.plot([0, 1], [0, 1], color=canvas.GREY, lw=0.8, ls=":")
    _point(ax, result, name)
    ax.set_xlim(-0.02, 1.02)
    ax.set_ylim(-0.02, 1.02)
    title = "ROC" if name == "roc" else "Precision and recall"
    kind = "ROC AUC" if name == "roc" else "average precision"
    _finish(ax, _title(result, title, shown), *(c.replace("_", " ") for c in columns))
    where = "lower right" if name == "roc" else "best"
    canvas.plain_legend(ax.legend, title=kind, fontsize=8, loc=where)


def _point(ax: Axes, result: Performance, name: str) -> None:
    """Mark where the classifier unchanged stands, of two classes."""
    if result.decisions is None or result.thresholds is None:
        return
    row = result.decisions.iloc[0]
    y = row["precision"]
    x = row["recall"]
    if name == "roc":
        others = result.table[result.table["score"] == "specificity"]
        x, y = 1 - part_of(others, result.positive)["value"].iloc[0], x
    ax.plot([x], [y], "o", color=canvas.ink_of(ax), ms=6, label="predict")


def _calibration(ax: Axes, result: Performance) -> None:
    """Draw observed shares against mean probabilities.

    That is of the positive of two classes, or of the predicted one of more.
    """
    curve = part_of(result.curves("calibration"), result.positive)
    ax.plot([0, 1], [0, 1], color=canvas.GREY, lw=0.8, ls=":")
    middle = curve["observed"]
    reach = [middle - curve["ci_low"], curve["ci_high"] - middle]
    ax.errorbar(
        curve["predicted"], middle, yerr=np.clip(reach, 0, None), fmt="o-", ms=4,
        color=canvas.COLORS[0], lw=1, elinewidth=0.8, capsize=2,
    )  # fmt: skip
    ax.set_xlim(-0.02, 1.02)
    ax.set_ylim(-0.02, 1.02)
    _finish(
        ax,
        f"Calibration of {_positive(result)}",
        "mean probability",
        "observed share (95%)",
    )


def _positive(result: Performance) -> str:
    """Return the name of the positive one of two classes."""
    if result.positive_position is None:
        return "the predicted class"
    return _name(result, result.positive_position, canvas.MAX_CLASS)


def _finite(thresholds: pd.DataFrame) -> pd.DataFrame:
    return thresholds[np.isfinite(thresholds["threshold"])]


def _threshold_costs(ax: Axes, result: Performance) -> None:
    """Draw the cost at each threshold, the set of the best, and the classifier."""
    if result.thresholds is None or result.decisions is None:
        return
    table = _finite(result.thresholds)
    x, color = table["threshold"], canvas.COLORS[0]
    ax.fill_between(x, table["ci_low"], table["ci_high"], color=color, alpha=_BAND,
                    lw=0)  # fmt: skip
    ax.plot(x, table["cost"], color=color, label="cost (band: 95%)")
    kept = table[table["may_be_best"]]
    ax.plot(kept["threshold"], kept["cost"], "o", ms=3.5, color=canvas.UP,
            label="not clearly worse than the best")  # fmt: skip
    rows = result.decisions.set_index("decision")
    ax.axhline(rows.loc[PREDICT, "cost"], color=canvas.ink_of(ax), lw=0.8,
               ls="--", label="predict")  # fmt: skip
    best = rows.loc[THRESHOLD, "threshold"]
    if np.isfinite(best):
        ax.axvline(best, color=canvas.UP, lw=0.8, ls=":", label=f"best: {best:.3g}")
    name = f"threshold of {_positive(result)}"
    _finish(ax, "Cost by threshold", name, "cost per row")
    canvas.plain_legend(ax.legend, fontsize=8)


def _thresholds(ax: Axes, result: Performance) -> None:
    """Draw precision, recall and the share predicted positive at each threshold."""
    if result.thresholds is None:
        return
    table = _finite(result.thresholds)
    for place, column in enumerate(("precision", "recall", "predicted_positive")):
        label = column.replace("_", " ")
        ax.plot(table["threshold"], table[column], color=canvas.color_of(place),
                label=label)  # fmt: skip
    ax.set_ylim(-0.02, 1.02)
    _finish(ax, "Thresholds", f"threshold of {_positive(result)}", "share")
    canvas.plain_legend(ax.legend, fontsize=8)


def _decision_costs(ax: Axes, result: Performance) -> None:
    """Draw the cost of each decision, for more than two classes."""
    if result.decisions is None:
        return
    table = result.decisions
    rows = range(len(table))
    ax.barh(rows, table["cost"], color=canvas.COLORS[0], alpha=0.85, height=0.6)
    canvas.draw_intervals(ax, table["cost"], rows, table["ci_low"], table["ci_high"])
    ax.axvline(0, color=canvas.GREY, lw=0.8)
    ax.set_xlabel("cost per row (95% interval)")
    canvas.name_rows(ax, list(table["decision"]), "Cost of decisions", length=22)


def _abstention(ax: Axes, result: Performance) -> None:
    """Draw the accuracy against the share of rows answered."""
    table, color = result.abstention, canvas.COLORS[2]
    x = table["answered"]
    ax.fill_between(x, table["ci_low"], table["ci_high"], color=color, alpha=_BAND,
                    lw=0)  # fmt: skip
    ax.plot(x, table["accuracy"], color=color)
    ax.set_xlim(0, 1.02)
    _finish(
        ax, "Abstention", "share of rows answered, by top probability",
        "accuracy (band: 95%)",
    )  # fmt: skip


def _differences(ax: Axes, result: Performance, n_shown: int) -> None:
    """Draw the differences between groups with the smallest p-values."""
    if result.differences is None:
        return
    table = result.differences[result.differences["p_value"].notna()]
    if result.differences["group"].nunique() == 2:  # each less the other
        table = table[table["group"] == table["group"].iloc[0]]
    table = table.sort_values(["p_holm", "p_value"], kind="stable").head(n_shown)
    rows = np.arange(len(table))
    clear = (table["p_holm"] < 0.05).to_numpy()
    low, high = table["ci_low"], table["ci_high"]
    canvas.draw_intervals(ax, table["difference"], rows, low, high)
    for mask, color, label in (
        (clear, canvas.UP, "clear after Holm's correction"),
        (~clear, canvas.GREY, "not clear"),
    ):
        if mask.any():
            ax.plot(table["difference"][mask], rows[mask], "o", color=color, ms=5,
                    label=label, ls="none")  # fmt: skip
    ax.axvline(0, color=canvas.GREY, lw=0.8)
    groups = result.differences["group"].unique()
    names = [
        f"{canvas.short(row.group, 19, groups)}: {_LABELS.get(row.score, row.score)}"
        + ("" if pd.isna(row.label) else f" {_class(result, row.label)}")
        + (" (small)" if row.is_small else "")
        for row in table.rename(columns={"class": "label"}).itertuples()
    ]
    ax.set_yticks(rows, names, fontsize=7, parse_math=False)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    title = f"{len(table)} of {result.n_tested} differences between groups"
    if len(result.by) <= canvas.MAX_COLUMN:
        title += f" of {canvas.short(result.by)}"
    _finish(ax, title, "group less all others (95% interval)", "")
    canvas.plain_legend(
        ax.legend, fontsize=8, ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.13)
    )


def _class(result: Performance, label: Any) -> str:
    if result.positive is not None:
        return ""  # the rates of two classes are of the positive one
    return canvas.short(label, _MAX_TICK, result.class_names)
