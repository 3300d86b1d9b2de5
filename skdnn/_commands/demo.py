"""The demonstration: iris from data to report, as a first user would do it."""

import os
import time
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

_SEED = 0
_GRID = {
    "dnnclassifier__learning_rate_init": [0.003, 0.01],
    "dnnclassifier__dropout": [0.0, 0.2],
    "dnnclassifier__alpha": [1e-4, 1e-2],
}
_OUTER, _INNER = 4, 3


def check_writable(path: Path) -> None:
    """Raise ``OSError`` if a report cannot be written, before any work is done."""
    folder = path.absolute().parent
    if not folder.is_dir():
        raise FileNotFoundError(
            f"the report must go into a folder that exists. Got {folder}; make it, or "
            "name another file with --output."
        )
    if path.is_dir() or not os.access(folder, os.W_OK):
        raise PermissionError(
            f"the report must go into a file that can be written. Got {path}; name "
            "another file with --output."
        )


def run_demo(path: Path) -> Path:
    """Train, tune and explain a network on iris, with a line on each step.

    Parameters
    ----------
    path : Path
        Where the report goes.

    Returns
    -------
    Path
        The absolute path of the report.
    """
    console = Console(highlight=False, soft_wrap=False)
    started = time.perf_counter()
    X, y, rows = _load(console)
    _compare_dropout(console, rows)
    chosen = _tune(console, X, y)
    pipe = _final(console, rows, chosen)
    path = _explain(console, pipe, rows, path)
    console.print(f"\nDone in {time.perf_counter() - started:.0f} s. The report:")
    return path


def _head(console: Console, number: int, text: str) -> None:
    console.print(f"\n[bold]{number}. {text}[/bold]")


def _pipe(**parameters):
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
    return make_pipeline(
        MinMaxScaler(), DNNClassifier((20, 20), **settings | parameters)
    )


def _load(console: Console):
    from sklearn.datasets import load_iris
    from sklearn.model_selection import train_test_split

    iris = load_iris(as_frame=True)
    X, y = iris.data, iris.target_names[iris.target]
    rows = train_test_split(X, y, stratify=y, random_state=_SEED)
    _head(console, 1, "Data")
    console.print(
        f"Iris: {len(X)} flowers, {X.shape[1]} measurements, "
        f"{len(iris.target_names)} species.\n"
        f"{len(rows[0])} flowers to train on, {len(rows[1])} held out to test on."
    )
    return X, y, rows


def _compare_dropout(console: Console, rows) -> None:
    from sklearn.metrics import log_loss

    X, X_test, y, y_test = rows
    _head(console, 2, "Two hidden layers of 20, without and with dropout")
    console.print(
        "100 epochs; a fifth of the training rows is set aside to validate on."
    )
    table = Table(box=None, header_style="dim")
    for name in ("dropout", "seconds"):
        table.add_column(name, justify="right")
    for name in ("training\nloss", "validation\nloss", "test\nloss", "test\naccuracy"):
        table.add_column(name, justify="right")
    table.add_column("validation loss\nby epoch")
    for dropout in (0.0, 0.3):
        pipe = _pipe(dropout=dropout, validation_fraction=0.2).fit(X, y)
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
        f"Baseline, class shares only: loss {network.baseline_loss_:.3f}. With dropout "
        "the training loss is that of a network with units missing."
    )


def _curve(losses) -> str:
    """Return losses as a row of bars, from the first epoch to the last."""
    places = np.linspace(0, len(losses) - 1, 16).astype(int)
    heights = losses.to_numpy()[places] / losses.max()
    return "".join("▁▂▃▄▅▆▇█"[min(7, int(8 * height))] for height in heights)


def _tune(console: Console, X, y) -> dict:
    from sklearn.model_selection import StratifiedKFold

    from skdnn.model_selection import GridSearchCV, nested_cross_validate

    n_candidates = int(np.prod([len(values) for values in _GRID.values()]))
    _head(console, 3, "Grid search inside an outer cross-validation")
    console.print(
        f"{n_candidates} candidates, chosen by {_INNER} inner folds, scored on "
        f"{_OUTER} outer folds that took no part in choosing."
    )

    inner, outer = (
        StratifiedKFold(n_folds, shuffle=True, random_state=_SEED)
        for n_folds in (_INNER, _OUTER)
    )
    search = GridSearchCV(_pipe(max_iter=50), _GRID, cv=inner)
    nested = nested_cross_validate(search, X, y, cv=outer)
    for fold, (score, params) in enumerate(
        zip(nested.scores, nested.params, strict=True), start=1
    ):
        console.print(f"   fold {fold}: accuracy {score:.3f} with {_words(params)}")
    low, high = nested.interval()
    console.print(
        f"Nested accuracy: {nested.score:.3f}, 95% interval {low:.3f} to "
        f"{min(high, 1):.3f}."
    )
    chosen = search.fit(X, y).best_params_
    console.print(f"Chosen on all rows: {_words(chosen)}.")
    return {name.split("__")[1]: value for name, value in chosen.items()}


def _words(parameters: dict) -> str:
    short = {name.split("__")[1]: value for name, value in parameters.items()}
    short["rate"] = short.pop("learning_rate_init")
    return ", ".join(f"{name} {value:g}" for name, value in sorted(short.items()))


def _final(console: Console, rows, chosen: dict):
    X, X_test, y, y_test = rows
    _head(console, 4, "The network")
    pipe = _pipe(validation_fraction=0.2, max_iter=150, **chosen).fit(X, y)
    for line in pipe[-1].summary().splitlines():
        label, text = line[:12], line[12:]
        grid = Table.grid(padding=(0, 1))
        grid.add_column(style="dim", width=11)
        grid.add_row(label.strip(), text)
        console.print(grid)
    console.print(f"Test accuracy: {pipe.score(X_test, y_test):.3f}")
    return pipe


def _explain(console: Console, pipe, rows, path: Path) -> Path:
    from skdnn import explain

    X, X_test, _, y_test = rows
    _head(console, 5, "Why")
    importance = explain.permutation_importance(
        pipe, X_test, y_test, random_state=_SEED
    ).frame()
    best = importance.sort_values("importance", ascending=False).iloc[0]
    console.print(
        f"{best['feature']} matters most: shuffling it lowers the accuracy by "
        f"{best['importance']:.2f}."
    )
    shap = explain.shap(pipe, X_test[:1], background=X, random_state=_SEED)
    k = int(shap.predictions[0].argmax())
    label = shap.class_names[k]
    console.print(
        f"The first held-out flower is {label} with probability "
        f"{shap.predictions[0, k]:.2f}; on average that is {shap.base_values[k]:.2f}. "
        "The difference:"
    )
    for j in np.argsort(-np.abs(shap.values[0, :, k])):
        console.print(
            f"   {shap.feature_names[j]} = {shap.data[0, j]:g}: "
            f"{shap.values[0, j, k]:+.3f}"
        )
    report = explain.report(
        pipe, X_test, y_test, background=X, title="Iris, explained", random_state=_SEED
    )
    report.write_html(path)
    return path.absolute()
