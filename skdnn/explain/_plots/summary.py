"""A summary: importances with their ranks beside effects."""

from typing import Any

import numpy as np

from skdnn.explain._model.options import check_count
from skdnn.explain._plots import canvas
from skdnn.explain._plots.canvas import Axes
from skdnn.explain._plots.effects import draw_effects, row_key
from skdnn.explain._plots.tables import draw_importance_bars
from skdnn.explain._results.registry import register
from skdnn.explain._results.summary import Summary, part_of, ranks_of

_MAX_LABEL = 59


@register("plot", Summary)
def plot_summary(
    result: Summary, max_display: Any, ax: tuple[Axes, Axes] | None
) -> np.ndarray:
    """Draw importances with their ranks, and effects; see ``Summary.plot``."""
    check_count("max_display", max_display, 1)
    importance, effects = part_of(result, "importance"), part_of(result, "effect")
    if ax is None:
        n_rows = min(max_display, len(effects[row_key(effects)].drop_duplicates()))
        n_classes = effects["class"].nunique()
        height = max(3.2, n_rows * (0.19 * n_classes + 0.14) + 1.3)
        ax = canvas.new_axes((13, height), 1, 2)[0]
    first, second = ax
    shown = importance.head(max_display)
    draw_importance_bars(first, shown, "value")
    first.set_xlabel(
        "increase of the cross-entropy when shuffled, in nats (95% interval)"
    )
    names = [
        f"{canvas.short(name, canvas.MAX_COLUMN)} (rank {rank})"
        for name, rank in zip(shown["feature"], ranks_of(shown), strict=True)
    ]
    canvas.name_rows(first, names, "Importance", len(importance), length=_MAX_LABEL)
    heading = f"Average conditional effects on the {result.unit}"
    effects = effects.rename(columns={"value": "effect"})
    draw_effects(effects, heading, max_display, second)
    return np.array([first, second])
