"""Plain networks on workers: what `train_networks` does in this process.

Of an ensemble, the data go out once; each worker prepares the rows and starting weights
of its networks from them, as they were prepared here. Networks whose rows lie on the
workers go out as prepared here, a single one too.
"""

import warnings
from collections import Counter
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace

from skdnn._estimator.network_training import FittedState, report_epoch
from skdnn._estimator.parameters import Parameters
from skdnn._estimator.plain import PlainNetwork, prepare_plain
from skdnn._estimator.stored_rows import RowsOnWorkers
from skdnn._runtime import keras_backend, workers
from skdnn._runtime.progress import Progress
from skdnn._tabular.validation import TrainingData
from skdnn._training.loop import train
from skdnn._training.stacks import shape_of
from skdnn._training.streamed_task import StreamedTask
from skdnn._training.task import TrainingResult, TrainingTask


def can_go_out(networks: Sequence[PlainNetwork]) -> bool:
    """Return whether workers can train these networks.

    Callbacks of the user may do anything, and are called in the user's process. That
    process alone writes a checkpoint, and reads a table block by block.
    """
    if not workers.are_set() or not networks:
        return False
    first = networks[0]
    if isinstance(first.task, StreamedTask):
        return isinstance(first.task.store, RowsOnWorkers)
    return (
        len(networks) > 1
        and first.parameters.checkpoint is None
        and not any(network.parameters.callbacks for network in networks)
    )


def train_on_workers(
    networks: Sequence[PlainNetwork], data: TrainingData, progress: Progress
) -> list[TrainingResult]:
    """Train the networks; raise the first error."""
    shapes = [shape_of(network.task) for network in networks]
    counts = Counter(shapes)
    alike = [counts[shape] for shape in shapes]

    def report(result: TrainingResult) -> None:
        for record in result.history:
            report_epoch(progress, record)

    if data.n_streamed is not None:
        tasks = [network.task for network in networks]
        numbered = list(enumerate(alike))
        return workers.run_parts(
            _train_streamed, (tasks,), numbered, report, sends_one=True
        )
    parts = [
        (network.parameters, network.earlier, network.incremental, n_alike)
        for network, n_alike in zip(networks, alike, strict=True)
    ]
    return workers.run_parts(_train_network, (data,), parts, report)


def _train_streamed(
    tasks: Sequence[TrainingTask], number: int, n_alike: int
) -> TrainingResult:
    """Train one network on a worker, which reads its rows there."""
    keras_backend.load()
    # where a worker is a thread, the tasks are those of all parts
    random_state = deepcopy(tasks[number].random_state)
    return train(replace(tasks[number], random_state=random_state), n_alike)


def _train_network(
    data: TrainingData,
    parameters: Parameters,
    earlier: FittedState | None,
    incremental: bool,
    n_alike: int,
) -> TrainingResult:
    """Train one network on a worker; members of an ensemble have integer seeds."""
    keras_backend.load()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the user has been warned already
        network = prepare_plain(parameters, data, earlier, incremental=incremental)
    return train(network.task, n_alike)
