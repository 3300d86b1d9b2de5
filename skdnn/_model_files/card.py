"""What a fitted classifier is and how well it predicts, as a page of Markdown."""

from typing import Any

import numpy as np

from skdnn._runtime.markdown import escaped, table
from skdnn._runtime.names import visible
from skdnn._runtime.version import __version__
from skdnn.classifier import DNNClassifier
from skdnn.explain._report.fitted_record import final_estimator
from skdnn.explain._results.performance import Performance, part_of, scores_of

# Columns, categories of a column and groups that are listed.
_MOST_COLUMNS, _MOST_CATEGORIES, _MOST_GROUPS = 100, 5, 50
# Lines of `summary()` that the card has, with what they are called.
_TRAINING = {
    "network": "Network",
    "members": "Members",
    "training": "Training",
    "best epoch": "Best epoch",
    "loss": "Loss",
    "reliability": "Reliability",
    "verdict": "Verdict",
}


def card_text(estimator: Any, performance: Performance | None, title: str) -> str:
    """Return the card of a fitted classifier, with the scores of a result."""
    final = final_estimator(estimator)
    network = final if isinstance(final, DNNClassifier) else None
    lines = _summary_lines(network)
    parts = [
        f"# {escaped(title)}",
        f"`{escaped(type(estimator).__name__)}`, written with skdnn {__version__}: "
        f"{escaped(_one_line(repr(estimator)))}",
        "## Data",
        *_data(estimator, network, lines),
        "## Training",
        "\n".join(
            f"- {name}: {escaped(lines[key])}"
            for key, name in _TRAINING.items()
            if key in lines
        ),
        "## Scores",
        *_scores(performance),
        "## Limits",
        "\n".join(f"- {escaped(text)}" for text in _limits(network, performance)),
    ]
    text = "\n\n".join(part for part in parts if part) + "\n"
    return visible(text, keep="\n")


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _summary_lines(network: DNNClassifier | None) -> dict[str, str]:
    """Return the lines of the summary of a network by name."""
    if network is None:
        return {}
    lines = network.summary().splitlines()
    return {line[:11].strip(): line[11:].strip() for line in lines}


def _data(
    estimator: Any, network: DNNClassifier | None, lines: dict[str, str]
) -> list[str]:
    n = estimator.n_features_in_
    given = getattr(estimator, "feature_names_in_", None)
    names = [f"x{j}" for j in range(n)] if given is None else list(map(str, given))
    facts = [f"{lines['data']}."] if "data" in lines else []
    classes = lines.get("classes", ", ".join(map(str, estimator.classes_)))
    facts.append(f"Classes: {classes}.")
    parts = [escaped(" ".join(facts))]
    if network is not None and network.n_features_in_ == n and estimator is network:
        kinds = _kinds(network)
        rows = [
            [escaped(name), *map(escaped, kinds[j])]
            for j, name in enumerate(names[:_MOST_COLUMNS])
        ]
        parts.append(table(["column", "kind", "in training"], rows))
    else:
        listed = ", ".join(names[:_MOST_COLUMNS])
        parts.append(escaped(f"Columns: {listed}."))
    if n > _MOST_COLUMNS:
        parts.append(f"And {n - _MOST_COLUMNS} more columns.")
    return parts


def _kinds(network: DNNClassifier) -> list[tuple[str, str]]:
    """Return the kind of each column, and what training rows hold."""
    columns, encoder = network._columns, _encoder(network)
    facts = {}
    flagged = set(encoder.numeric[encoder.flagged].tolist())
    for at, j in enumerate(encoder.numeric.tolist()):
        kind = "boolean" if j in columns.booleans else "number"
        text = f"median {encoder.fill[at]:g}"
        if encoder.empty[at]:
            text = "no value"
        elif j in flagged:
            text += ", some missing"
        facts[j] = (kind, text)
    for j, codes in columns.codes.items():
        shown = ", ".join(map(str, list(codes)[:_MOST_CATEGORIES]))
        more = ", …" if len(codes) > _MOST_CATEGORIES else ""
        facts[j] = ("category", f"{len(codes)} categories: {shown}{more}")
    return [facts[j] for j in range(network.n_features_in_)]


def _encoder(network: DNNClassifier) -> Any:
    return getattr(network, "estimators_", [network])[0]._encoder


def _scores(performance: Performance | None) -> list[str]:
    if performance is None:
        return ["No rows with known classes were scored."]
    parts = [escaped(performance.describe())]
    head = ["score", "value", "95% interval", "rows"]
    own = scores_of(performance, None)
    parts.append(table(head, [_score(row) for _, row in own.iterrows()]))
    if performance.groups is not None:
        groups = part_of(performance.groups, None)
        accuracy = groups[groups["score"] == "accuracy"][:_MOST_GROUPS]
        rows = [[escaped(r["group"]), *_score(r)[1:]] for _, r in accuracy.iterrows()]
        by = escaped(performance.by)
        head = [by, "accuracy", *head[2:]]
        parts += [f"### Groups of {by}", table(head, rows)]
    return parts


def _score(row: Any) -> list[str]:
    """Return name, value, interval and rows of a score as cells."""
    name = escaped(str(row["score"]).replace("_", " "))
    if not np.isfinite(row["value"]):
        return [name, "not defined", "", str(row["n_rows"])]
    low, high = (
        f"{row[end]:.3f}" if np.isfinite(row[end]) else "not known"
        for end in ("ci_low", "ci_high")
    )
    return [name, f"{row['value']:.3f}", f"{low} to {high}", str(row["n_rows"])]


def _limits(
    network: DNNClassifier | None, performance: Performance | None
) -> list[str]:
    limits = []
    if performance is None:
        limits.append(
            "How well it predicts rows that it was not trained on is not known from "
            "this card."
        )
    else:
        limits.append(
            f"Scores are of {performance.n_samples} rows, and hold for rows of the "
            "same population. They are too good if the rows took part in training."
        )
        groups = performance.groups
        if groups is None:
            limits.append("Groups of rows were not compared.")
        elif groups["is_small"].any():
            small = groups[groups["is_small"] & (groups["score"] == "accuracy")]
            names = ", ".join(map(str, dict.fromkeys(small["group"])))
            if names:
                limits.append(f"Groups of fewer than 30 rows: {names}.")
    if network is not None:
        limits += _limits_of_network(network)
    limits.append(
        "Causes are not known: a column that changes a prediction need not change "
        "the class."
    )
    return limits


def _limits_of_network(network: DNNClassifier) -> list[str]:
    limits = []
    if network._columns.codes:
        limits.append("Categories that the training rows do not have count as missing.")
    if network._spec.is_multilabel:
        return limits
    if network._conformity is None:
        limits.append("No rows were left out in training: no prediction sets.")
    else:
        n = len(network._conformity.proba)
        limits.append(f"Prediction sets rest on {n} rows left out in training.")
    return limits
