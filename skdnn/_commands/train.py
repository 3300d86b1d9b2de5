"""``skdnn train``: train the recipe on all rows, and write a model file."""

from pathlib import Path
from typing import Any

from skdnn._commands.console import Output
from skdnn._commands.model_notes import ModelNotes
from skdnn._commands.training import TrainingData, fit_network, new_network


def run_train(
    output: Output,
    data: TrainingData,
    source: Path,
    path: Path,
    *,
    seed: int,
    keep: int,
    checkpoint: Path | None = None,
) -> None:
    """Train on all rows, write the model and print what is known of it."""
    network = new_network(seed, checkpoint)
    output.heading(f"Training on {len(data.learned.y)} rows")
    fit_network(network, data.learned.X, data.learned.y)
    output.summary(network.summary())
    write(output, network, ModelNotes.of(data, source, seed, keep), path)
    output.end(result_of(data, keep), path)


def result_of(data: TrainingData, n_kept: int) -> dict[str, Any]:
    """Return the facts on a trained model for the JSON object."""
    return {
        "target": data.target,
        "classes": data.classes,
        "positive": data.positive,
        "n_rows": len(data.learned.y),
        "features": list(data.learned.X.columns),
        "ids": data.learned.reading.ids,
        "left_out": data.learned.reading.left_out,
        "n_kept_rows": min(n_kept, len(data.learned.y)),
    }


def write(output: Output, network: Any, notes: ModelNotes, path: Path) -> None:
    """Write a model file, and state what it has of the table."""
    from skdnn._model_files.archive import write_model

    write_model(network, path, notes.as_dict())
    if notes.kept is not None:
        n = len(next(iter(notes.kept["columns"].values())))
        output.note(
            f"The file keeps {n} rows of the table, which anyone who has it can read."
        )
    else:
        output.note(
            "The file keeps no rows of the table, only the categories of its columns. "
            "With --keep-rows 1000, predict would also mark rows unlike them."
        )
