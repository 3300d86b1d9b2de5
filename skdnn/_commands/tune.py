"""``skdnn tune``: a random search around the defaults, saved like train."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from skdnn._commands.console import Output
from skdnn._commands.model_notes import ModelNotes
from skdnn._commands.train import result_of, write
from skdnn._commands.training import TrainingData, new_network
from skdnn._table_files.table_file_error import TableFileError
from skdnn.exceptions import CheckpointWarning

_OUTER = 4
_N_SHOWN = 5


def run_tune(
    output: Output,
    data: TrainingData,
    source: Path,
    path: Path,
    *,
    n_candidates: int,
    n_folds: int,
    nested: bool,
    seed: int,
    keep: int,
    checkpoint: Path | None = None,
) -> None:
    """Search, print the candidates, and write the best network."""
    from skdnn.model_selection import nested_cross_validate

    X, y = data.learned.X, data.learned.y
    _check_folds(y, n_folds, nested)
    search = _search(n_candidates, n_folds, seed).set_params(checkpoint=checkpoint)
    n_fits = n_candidates * n_folds + 1
    output.heading(
        f"Tuning: {n_candidates} candidates, the defaults among them, on {n_folds} "
        f"folds ({n_fits} fits)"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("default", CheckpointWarning)
        search.fit(X, y)
        facts = _summary(output, search)
        if nested:
            output.heading(f"Nested score on {_OUTER} outer folds ({_OUTER} searches)")
            if checkpoint is not None:
                own = checkpoint.with_name(f"{checkpoint.name}.nested")
                search.set_params(checkpoint=own)
            scores = nested_cross_validate(search, X, y, cv=_folds(_OUTER, seed))
            low, high = scores.interval()
            facts |= {"nested_log_loss": -scores.score, "nested_low": -high}
            facts |= {"nested_high": -low}
            output.note(
                f"Nested log loss: {-scores.score:.3f}, 95% interval "
                f"{max(-high, 0):.3f} to {-low:.3f}. It is measured on rows that took "
                "no part in choosing."
            )
    network = search.best_estimator_.set_params(verbose=False)
    notes = ModelNotes.of(data, source, seed, keep)
    notes.tuning = facts
    write(output, network, notes, path)
    output.end(result_of(data, keep) | {"tuning": facts}, path)


def _check_folds(y: np.ndarray, n_folds: int, nested: bool) -> None:
    labels, counts = np.unique(y, return_counts=True)
    # of each outer fold, the rows that are left are divided again
    needed = n_folds if not nested else n_folds + -(-n_folds // (_OUTER - 1))
    if counts.min() < needed:
        raise TableFileError(
            f"Each class must have at least {needed} rows for {n_folds} folds"
            f"{' in nested ones' if nested else ''}. Got {counts.min()} of "
            f"{str(labels[counts.argmin()])!r}. Use fewer --folds, or add rows."
        )


def _folds(n: int, seed: int) -> Any:
    from sklearn.model_selection import StratifiedKFold

    return StratifiedKFold(n, shuffle=True, random_state=seed)


def _search(n_candidates: int, n_folds: int, seed: int) -> Any:
    """Return a search over the defaults, and random values around them."""
    from scipy.stats import loguniform
    from sklearn.model_selection import ParameterSampler

    from skdnn.model_selection import GridSearchCV

    space = {
        "learning_rate_init": loguniform(0.007, 0.07),
        "dropout": [0.0, 0.1, 0.2, 0.3],
        "weight_decay": loguniform(0.001, 1.0),
        "label_smoothing": [0.0, 0.05, 0.1],
    }
    drawn = list(ParameterSampler(space, n_candidates - 1, random_state=seed))
    grid = [{"dropout": [0.0]}, *({k: [v] for k, v in one.items()} for one in drawn)]
    network = new_network(seed)
    return GridSearchCV(network, grid, scoring="neg_log_loss", cv=_folds(n_folds, seed))


def _summary(output: Output, search: Any) -> dict[str, Any]:
    """Print the best candidates beside the defaults; return what was chosen."""
    results = search.cv_results_
    losses = -results["mean_test_score"]
    table = Table(box=None, header_style="dim")
    table.add_column("log loss", justify="right")
    table.add_column("parameters", overflow="fold")
    for i in np.argsort(losses)[:_N_SHOWN]:
        table.add_row(f"{losses[i]:.4f}", _in_words(int(i), results["params"][i]))
    output.show(table)
    best = int(search.best_index_)
    folds = np.array([results[f"split{k}_test_score"] for k in range(search.n_splits_)])
    gain = folds[:, best] - folds[:, 0]
    if best == 0:
        output.note("No candidate has a lower loss than the defaults; they are kept.")
    else:
        error = gain.std(ddof=1) / np.sqrt(len(gain))
        clear = (
            "" if gain.mean() > 2 * error
            else " That is within two of them: the folds do not show that it is better."
        )  # fmt: skip
        output.note(
            f"Chosen: {_in_words(best, results['params'][best])}. Its log loss is "
            f"{gain.mean():.4f} lower than that of the defaults, with a standard error "
            f"over folds of {error:.4f}.{clear}"
        )
    output.note("The loss of the chosen one is too low, as it was chosen by it; "
                "--nested measures it on other rows.")  # fmt: skip
    chosen = {name: float(f"{v:.3g}") for name, v in search.best_params_.items()}
    return {
        "chosen": {} if best == 0 else chosen,
        "log_loss": float(losses[best]),
        "log_loss_of_defaults": float(losses[0]),
        "n_candidates": len(losses),
    }


def _in_words(index: int, params: dict[str, Any]) -> str:
    if index == 0:
        return "the defaults"
    return ", ".join(f"{name} {value:.3g}" for name, value in sorted(params.items()))
