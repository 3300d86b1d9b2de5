"""``skdnn demo``: train, tune and explain a network on iris."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from skdnn._commands.console import Output, summary_table

_SEED = 0
_GRID = {
    "dnnclassifier__learning_rate_init": [0.003, 0.01],
    "dnnclassifier__dropout": [0.0, 0.2],
    "dnnclassifier__alpha": [1e-4, 1e-2],
}
_N_OUTER, _N_INNER = 4, 3
_N_BARS = 16  # of a curve in the terminal

Rows = tuple[pd.DataFrame, pd.DataFrame, np.ndarray, np.ndarray]  # X, X_test, y, y_test


def run_demo(path: Path, *, as_json: bool = False) -> None:
    """Train, tune and explain a network on iris, and write the report."""
    console = Console(highlight=False, soft_wrap=False, quiet=as_json)
    started = time.perf_counter()
    rows = _load(console)
    others = _compare_dropout(console, rows)
    pipe, nested = _tune(console, rows)
    scores = _compare(console, {"tuned": pipe, **others}, rows)
    verdict = _explain(console, pipe, others, rows, path)
    console.print(f"\nDone in {time.perf_counter() - started:.0f} s. The report:")
    facts = {"n_train": len(rows[0]), "n_test": len(rows[1]), **nested}
    Output(as_json=as_json).end(facts | {"networks": scores, "verdict": verdict}, path)


def _print_heading(console: Console, number: int, text: str) -> None:
    console.print(f"\n[bold]{number}. {text}[/bold]")


def _pipeline(**parameters: Any) -> Any:
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import MinMaxScaler

    from skdnn import DNNClassifier

    settings = {
        "batch_size": 32,
        "learning_rate_init": 0.01,
        "max_iter": 100,
        "n_iter_no_change": np.inf,  # always max_iter epochs
        "random_state": _SEED,
    }
    network = DNNClassifier((20, 20), **settings | parameters)
    return make_pipeline(MinMaxScaler(), network)


def _load(console: Console) -> Rows:
    from sklearn.datasets import load_iris
    from sklearn.model_selection import train_test_split

    iris = load_iris(as_frame=True)
    X, y = iris.data, iris.target_names[iris.target]
    rows = train_test_split(X, y, stratify=y, random_state=_SEED)
    _print_heading(console, 1, "Data")
    console.print(
        f"Iris: {len(X)} flowers, {X.shape[1]} measurements, "
        f"{len(iris.target_names)} species.\n"
        f"{len(rows[0])} flowers for training, {len(rows[1])} held out for testing."
    )
    return tuple(rows)


def _compare_dropout(console: Console, rows: Rows) -> dict[str, Any]:
    """Train with and without dropout; return both networks by name."""
    from sklearn.metrics import log_loss

    X, X_test, y, y_test = rows
    _print_heading(console, 2, "Two hidden layers of 20, without and with dropout")
    console.print("100 epochs; a fifth of the training rows is used for validation.")
    table = Table(box=None, header_style="dim")
    losses = ("training\nloss", "validation\nloss", "test\nloss")
    for name in ("dropout", "seconds", *losses, "test\naccuracy"):
        table.add_column(name, justify="right")
    table.add_column("validation loss\nby epoch")
    networks = {}
    for dropout in (0.0, 0.3):
        pipe = networks[f"dropout {dropout:g}"] = _pipeline(
            dropout=dropout, validation_fraction=0.2
        ).fit(X, y)
        network = pipe[-1]
        last = network.history_.iloc[-1]
        table.add_row(
            f"{dropout:g}",
            f"{network.history_['seconds'].sum():.2f}",
            f"{last['loss']:.3f}",
            f"{last['val_loss']:.3f}",
            f"{log_loss(y_test, pipe.predict_proba(X_test)):.3f}",
            f"{pipe.score(X_test, y_test):.3f}",
            _curve(network.history_["val_loss"]),
        )
    console.print(table)
    console.print(
        f"Baseline, class frequencies only: loss {network.baseline_loss_:.3f}. With "
        "dropout, the training loss is measured with units dropped."
    )
    return networks


def _curve(losses: pd.Series) -> str:
    epochs = np.linspace(0, len(losses) - 1, _N_BARS).astype(int)
    heights = losses.to_numpy()[epochs] / losses.max()
    return "".join("▁▂▃▄▅▆▇█"[min(7, int(8 * height))] for height in heights)


def _tune(console: Console, rows: Rows) -> tuple[Any, dict[str, Any]]:
    """Select parameters on the training rows; return the pipeline and nested scores."""
    from sklearn.model_selection import StratifiedKFold

    from skdnn.model_selection import GridSearchCV, nested_cross_validate

    X, _, y, _ = rows
    n_candidates = int(np.prod([len(values) for values in _GRID.values()]))
    _print_heading(console, 3, "Nested cross-validation of a grid search")
    console.print(
        f"{n_candidates} candidates, selected on {_N_INNER} inner folds, scored on "
        f"{_N_OUTER} outer folds that were not used for the selection."
    )
    inner, outer = (
        StratifiedKFold(n_folds, shuffle=True, random_state=_SEED)
        for n_folds in (_N_INNER, _N_OUTER)
    )
    search = GridSearchCV(_pipeline(max_iter=50), _GRID, cv=inner)
    nested = nested_cross_validate(search, X, y, cv=outer)
    folds = zip(nested.scores, nested.params, strict=True)
    for fold, (score, params) in enumerate(folds, start=1):
        console.print(f"   fold {fold}: accuracy {score:.3f} with {_listed(params)}")
    low, high = nested.interval()
    console.print(
        f"Nested accuracy: {nested.score:.3f}, 95% interval {low:.3f} to "
        f"{min(high, 1):.3f}."
    )
    search.fit(X, y)
    console.print(
        f"Selected on all {len(X)} training rows: {_listed(search.best_params_)}."
    )
    pipe = search.best_estimator_
    console.print(summary_table(pipe[-1].summary()))
    facts = {"selected": _short(search.best_params_), "nested_accuracy": nested.score}
    return pipe, facts | {"nested_low": low, "nested_high": min(high, 1.0)}


def _short(parameters: dict[str, Any]) -> dict[str, Any]:
    """Return parameters of the pipeline under the names of the network."""
    return {name.split("__")[1]: value for name, value in parameters.items()}


def _listed(parameters: dict[str, Any]) -> str:
    short = _short(parameters)
    short["rate"] = short.pop("learning_rate_init")
    return ", ".join(f"{name} {value:g}" for name, value in sorted(short.items()))


def _compare(
    console: Console, networks: dict[str, Any], rows: Rows
) -> dict[str, dict[str, float]]:
    """Print and return the scores of all networks on the held-out rows, best first."""
    from sklearn.metrics import log_loss

    _, X_test, _, y_test = rows
    _print_heading(console, 4, "The networks on the held-out rows")
    losses = {
        name: log_loss(y_test, pipe.predict_proba(X_test))
        for name, pipe in networks.items()
    }
    scores = {}
    for name in sorted(losses, key=losses.__getitem__):
        accuracy = float(networks[name].score(X_test, y_test))
        scores[name] = {"log_loss": float(losses[name]), "accuracy": accuracy}
        console.print(f"   {name}: loss {losses[name]:.3f}, accuracy {accuracy:.3f}")
    best = min(losses, key=losses.__getitem__)
    console.print(
        f"The lowest loss has: {best}. The report has the intervals of the differences."
    )
    return scores


def _explain(
    console: Console, pipe: Any, others: dict[str, Any], rows: Rows, path: Path
) -> str:
    """Explain the pipeline, write the report, and return its verdict."""
    from skdnn import explain

    X, X_test, y, y_test = rows
    _print_heading(console, 5, "Explanations")
    result = explain.permutation_importance(pipe, X_test, y_test, random_state=_SEED)
    first = result.frame().sort_values("importance", ascending=False).iloc[0]
    console.print(
        f"{first['feature']} matters most: shuffling it lowers the accuracy by "
        f"{first['importance']:.2f}."
    )
    shap = explain.shap(pipe, X_test[:1], background=X, random_state=_SEED)
    k = int(shap.predictions[0].argmax())
    label = shap.class_names[k]
    console.print(
        f"The first held-out flower is predicted as {label} with a probability of "
        f"{shap.predictions[0, k]:.2f}. The average is {shap.base_values[k]:.2f}. "
        "Contributions to the difference:"
    )
    for j in np.argsort(-np.abs(shap.values[0, :, k])):
        console.print(
            f"   {shap.feature_names[j]} = {shap.data[0, j]:g}: "
            f"{shap.values[0, j, k]:+.3f}"
        )
    report = explain.report(
        pipe,
        X_test,
        y_test,
        background=X,
        y_background=y,
        rivals=others,
        title="Iris, explained",
        random_state=_SEED,
    )
    verdict = str(report.to_dict()["verdict"])
    console.print(verdict)
    report.write_html(path)
    return verdict
