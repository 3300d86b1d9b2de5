"""The name, training and drawing of a fitted classifier, looked up by attribute."""

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

# The line of a summary that has times.
_TIMES = re.compile(r"time +[0-9.]+ ")
_MAX_DEPTH = 10  # of nested searches and pipelines, in case an estimator holds itself


@dataclass(frozen=True)
class FittedRecord:
    """Description of the final estimator; None where it has no such attribute.

    `history` has one row per epoch; `network` is an SVG document of matplotlib.
    `candidates` are those of a fitted search, the best first.
    `kept_epoch` is the epoch whose weights are used, the last one if None, and
    `tried_losses` are those of rows left out, by other networks than the `n_networks`
    that are used.
    """

    name: str
    steps: tuple[str, ...]
    history: pd.DataFrame | None = None
    baseline_loss: float | None = None
    summary: str | None = None
    network: str | None = None
    candidates: Sequence[dict[str, Any]] = ()
    kept_epoch: int | None = None
    n_networks: int = 1
    tried_losses: Sequence[float] | None = None


def final_estimator(estimator: Any) -> Any:
    """Return the estimator that predicts at the end of searches and pipelines."""
    for _ in range(_MAX_DEPTH):
        if hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        elif hasattr(estimator, "steps"):
            estimator = estimator.steps[-1][1]
        else:
            break
    return estimator


def inspect_fitted(estimator: Any) -> FittedRecord:
    """Return the record of a fitted classifier, pipeline or search."""
    final = final_estimator(estimator)
    pipeline = getattr(estimator, "best_estimator_", estimator)
    summary = getattr(final, "summary", None)
    text = summary() if callable(summary) else None
    baseline = getattr(final, "baseline_loss_", None)
    return FittedRecord(
        name=type(final).__name__,
        steps=tuple(type(step).__name__ for _, step in getattr(pipeline, "steps", [])),
        history=_as_frame(getattr(final, "history_", None)),
        baseline_loss=None if baseline is None else float(baseline),
        summary=_without_times(text) if isinstance(text, str) else None,
        network=_draw(final, _names_after(pipeline, final)),
        candidates=_candidates(estimator),
        **_training_facts(final),
    )


def _candidates(estimator: Any) -> list[dict[str, Any]]:
    """Return the candidates of a fitted search by their mean score, the best first."""
    results = getattr(estimator, "cv_results_", None)
    if results is None or "mean_test_score" not in results:
        return []
    means = np.asarray(results["mean_test_score"], dtype=float)
    stds = np.asarray(results["std_test_score"], dtype=float)
    return [
        {
            "parameters": ", ".join(
                f"{name}={value!r}" for name, value in results["params"][i].items()
            ),
            "mean": float(means[i]),
            "std": float(stds[i]),
        }
        for i in np.argsort(-np.nan_to_num(means, nan=-np.inf), kind="stable")
    ]


def _training_facts(final: Any) -> dict[str, Any]:
    """Return what this package's classifiers know of their training."""
    known = getattr(final, "_training_summary", None)
    if known is None:
        return {}
    members = getattr(getattr(final, "_spec", None), "members", None)
    return {
        "kept_epoch": known.best_epoch,
        "n_networks": members or len(getattr(final, "estimators_", [final])),
        "tried_losses": known.tried_losses,
    }


def _without_times(text: str) -> str:
    """Return a summary without its times, which differ between equal fits."""
    lines = text.split("\n")
    return "\n".join(line for line in lines if not _TIMES.match(line))


def _as_frame(history: Any) -> pd.DataFrame | None:
    """Return a history as a frame: `KerasClassifier` keeps a dict of lists."""
    if isinstance(history, pd.DataFrame):
        return history
    history = getattr(history, "history", history)  # Keras's own wrapper
    if not isinstance(history, Mapping) or len(set(map(len, history.values()))) != 1:
        return None
    return pd.DataFrame(history)


def _names_after(pipeline: Any, final: Any) -> list[str] | None:
    """Return the names of the columns that the final step receives, if known."""
    if len(getattr(pipeline, "steps", [])) < 2:
        return None
    try:
        names = [str(name) for name in pipeline[:-1].get_feature_names_out()]
    except (AttributeError, NotImplementedError, TypeError, ValueError):
        return None
    return names if len(names) == getattr(final, "n_features_in_", None) else None


def _draw(final: Any, names: list[str] | None) -> str | None:
    """Return the estimator's drawing of its network, made outside of pyplot."""
    if not hasattr(final, "plot_network"):
        return None
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    style: Any = {"svg.fonttype": "path", "svg.hashsalt": "skdnn"}
    known = {} if names is None else {"feature_names": names}
    buffer = io.StringIO()
    with rc_context({**style, "text.parse_math": False}):
        figure = Figure(figsize=(9, 4.8))
        final.plot_network(ax=figure.add_subplot(), **known)
        metadata = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(buffer, format="svg", metadata=metadata, bbox_inches="tight")
    return buffer.getvalue()
