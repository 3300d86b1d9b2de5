"""``skdnn report``: hold rows out, train on the others, explain, write the page."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from skdnn._commands.console import Output, is_terminal
from skdnn._commands.option_values import parse_actionable, parse_costs
from skdnn._commands.training import TrainingData, fit_network, new_network
from skdnn._runtime.names import visible
from skdnn._table_files.column_kinds import as_text
from skdnn._table_files.raw_table import RawTable
from skdnn._table_files.table_file_error import TableFileError
from skdnn._table_files.targets import find_column
from skdnn.explain._report.origin import Origin
from skdnn.explain._report.report import make_report
from skdnn.explain._report.request import Request


@dataclass(frozen=True)
class Subject:
    """What a report is about, as the options state it."""

    group: str | None = None
    costs: Sequence[str] | None = None
    actionable: Sequence[str] | None = None

    def options(
        self, table: RawTable, X: Any, classes: list[Any], positive: Any
    ) -> dict[str, Any]:
        """Return the options of `explain.report`, for all rows of a table."""
        groups = None
        if self.group is not None:
            name = find_column(self.group, list(table.columns), "--group", table.name)
            column = table.columns[name]
            # as texts, and a group for the rows without one
            values = [as_text(v, table.decimal) or "missing" for v in column.values]
            groups = np.array(values, dtype=object)[column.codes]
        return {
            "groups_by": groups,
            "costs": parse_costs(self.costs or (), classes, positive),
            "actionable": parse_actionable(self.actionable or (), X),
        }


def run_report(
    output: Output,
    data: TrainingData,
    path: Path,
    subject: Subject,
    *,
    test_size: float,
    seed: int,
) -> None:
    """Train on some rows, explain the network by the others, and write the page."""
    learned = data.learned
    options = subject.options(learned.table, learned.X, data.classes, data.positive)
    train, test = split(data, test_size, seed)
    output.note(
        f"Held out: {len(test)} of the {len(learned.y)} rows, at random with the same "
        "shares of the classes (--test-size)."
    )
    output.heading(f"Training on {len(train)} rows")
    network = fit_network(new_network(seed), learned.X.iloc[train], learned.y[train])
    if options["groups_by"] is not None:
        options["groups_by"] = options["groups_by"][test]
    X_test, y_test = learned.X.iloc[test], learned.y[test]
    output.heading(f"Explaining it by the {len(test)} rows held out")
    predicted = network.predict(X_test)
    verdict = write_report(
        output,
        path,
        (network, X_test, y_test),
        predicted,
        background=learned.X.iloc[train],
        y_background=learned.y[train],
        title=f"{visible(data.target)} in {learned.table.name}",
        seed=seed,
        positive=data.positive,
        origin=Origin("none", is_background_training=True, is_command=True),
        **options,
    )
    facts = {
        "target": data.target,
        "classes": data.classes,
        "positive": data.positive,
        "n_train": len(train),
        "n_test": len(test),
        "accuracy": float(np.mean(predicted == y_test)),
        "verdict": verdict,
    }
    output.end(facts, path)


def write_report(
    output: Output,
    path: Path,
    explained: tuple[Any, Any, np.ndarray],
    predicted: np.ndarray,
    **options: Any,
) -> str:
    """Write the page on a network, rows and labels; print and return the verdict.

    `options` are those of a `Request`.
    """
    request = Request(verbose=is_terminal(), **options)
    report = make_report(*explained, request)
    verdict = str(report.to_dict()["verdict"])
    output.note(verdict)
    scores = positive_scores(explained[2], predicted, request.positive)
    if scores:
        output.note(scores)
    report.write_html(path)
    return verdict


def split(
    data: TrainingData, test_size: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions of the rows for training and of those held out."""
    from sklearn.model_selection import train_test_split

    y = data.learned.y
    labels, counts = np.unique(y, return_counts=True)
    if not 0 < test_size < 1:
        raise TableFileError(
            f"--test-size must be between 0 and 1, such as 0.25. Got {test_size:g}."
        )
    if counts.min() < 2:
        rare = visible(str(labels[counts.argmin()]))
        raise TableFileError(
            f"Each class must have at least 2 rows, for some to be held out. Got 1 of "
            f"{rare!r}. Add rows of it, or remove this one from the table."
        )
    n_test = int(np.ceil(test_size * len(y)))
    if min(n_test, len(y) - n_test) < len(labels):
        raise TableFileError(
            f"Of the {len(labels)} classes at least one row each must be held out, and "
            f"one be left. Got {n_test} of {len(y)} rows with --test-size "
            f"{test_size:g}. Name another size, or add rows."
        )
    train, test = train_test_split(
        np.arange(len(y)), test_size=test_size, stratify=y, random_state=seed
    )
    return np.sort(train), np.sort(test)


def positive_scores(y: np.ndarray, predicted: np.ndarray, positive: Any) -> str | None:
    """Return recall and precision of the positive class in a sentence."""
    if positive is None:
        return None
    is_one, is_predicted = y == positive, predicted == positive
    n_hits, n, n_predicted = (int(m.sum()) for m in (
        is_one & is_predicted, is_one, is_predicted))  # fmt: skip
    name = visible(str(positive))
    text = f"Of the {n} rows of {name}, {n_hits} are predicted as such"
    if not n_predicted:
        return f"{text}."
    return f"{text}; of the {n_predicted} rows predicted as {name}, {n_hits} are."
