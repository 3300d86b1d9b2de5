"""What a fitted classifier tells about itself: its name, training and drawing.

Everything is found by attribute, so that any classifier can be asked: one that keeps
no history has none.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd


@dataclass(frozen=True)
class FittedRecord:
    """What was found on the final estimator; None where it has no such thing.

    `network` is an SVG document as matplotlib wrote it; `history` a data frame with a
    row for each epoch.
    """

    name: str
    steps: tuple[str, ...]
    history: Any = None
    baseline_loss: float | None = None
    summary: str | None = None
    network: str | None = None


def final_estimator(estimator: Any) -> Any:
    """Look through searches and pipelines at what predicts in the end."""
    for _ in range(10):  # nobody nests deeper; a loop in the attributes must end
        if hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        elif hasattr(estimator, "steps"):
            estimator = estimator.steps[-1][1]
        else:
            break
    return estimator


def inspect_fitted(estimator: Any) -> FittedRecord:
    """Collect what the estimator tells about its training and shape."""
    final = final_estimator(estimator)
    pipeline = getattr(estimator, "best_estimator_", estimator)
    steps = [type(step).__name__ for _, step in getattr(pipeline, "steps", [])]
    history = _as_frame(getattr(final, "history_", None))
    summary = getattr(final, "summary", None)
    baseline = getattr(final, "baseline_loss_", None)
    return FittedRecord(
        name=type(final).__name__,
        steps=tuple(steps),
        history=history,
        baseline_loss=None if baseline is None else float(baseline),
        summary=_text(summary) if callable(summary) else None,
        network=_draw(final, _inner_names(pipeline, final)),
    )


def _as_frame(history: Any) -> pd.DataFrame | None:
    """Return a history as a frame: `KerasClassifier` keeps a dict of lists."""
    if hasattr(history, "columns"):
        return history
    history = getattr(history, "history", history)  # Keras's own wrapper
    if not isinstance(history, Mapping) or len(set(map(len, history.values()))) != 1:
        return None
    return pd.DataFrame(history)


def _text(summary: Any) -> str | None:
    text = summary()
    return text if isinstance(text, str) else None


def _inner_names(pipeline: Any, final: Any) -> list[str] | None:
    """Name the columns that the final step receives, if the steps before it can."""
    if not hasattr(pipeline, "steps") or len(pipeline.steps) < 2:
        return None
    try:
        names = [str(name) for name in pipeline[:-1].get_feature_names_out()]
    except (AttributeError, NotImplementedError, TypeError, ValueError):
        return None
    return names if len(names) == getattr(final, "n_features_in_", None) else None


def _draw(final: Any, names: list[str] | None) -> str | None:
    """Let the estimator draw its network on a figure that nobody else sees."""
    if not hasattr(final, "plot_network"):
        return None
    import io

    from matplotlib import rc_context
    from matplotlib.figure import Figure

    style: Any = {
        "svg.fonttype": "path",
        "svg.hashsalt": "skdnn",
        "text.parse_math": False,
    }
    buffer = io.StringIO()
    with rc_context(style):
        figure = Figure(figsize=(9, 4.8))
        ax = figure.add_subplot()
        if names is None:
            final.plot_network(ax=ax)
        else:
            final.plot_network(ax=ax, feature_names=names)
        metadata = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(buffer, format="svg", metadata=metadata, bbox_inches="tight")
    return buffer.getvalue()
