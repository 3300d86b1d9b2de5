"""The networks of an ensemble on workers: what `train_networks` does in this process.

The data go out once; each worker prepares the rows and starting weights of its networks
from them, as they were prepared here.
"""

import warnings
from collections import Counter
from collections.abc import Sequence

from skdnn._estimator.network_training import FittedState, report_epoch
from skdnn._estimator.parameters import Parameters
from skdnn._estimator.plain import PlainNetwork, prepare_plain
from skdnn._runtime import keras_backend, workers
from skdnn._runtime.progress import Progress
from skdnn._tabular.validation import TrainingData
from skdnn._training.loop import train
from skdnn._training.stacks import shape_of
from skdnn._training.task import TrainingResult


def can_go_out(networks: Sequence[PlainNetwork]) -> bool:
    """Return whether workers can train these networks.

    Callbacks of the user may do anything, and are called in the user's process.
    """
    return (
        workers.are_set()
        and len(networks) > 1
        and not any(network.parameters.callbacks for network in networks)
    )


def train_on_workers(
    networks: Sequence[PlainNetwork], data: TrainingData, progress: Progress
) -> list[TrainingResult]:
    """Train the networks of an ensemble; raise the first error."""
    shapes = [shape_of(network.task) for network in networks]
    alike = Counter(shapes)
    parts = [
        (network.parameters, network.earlier, network.incremental, alike[shape])
        for network, shape in zip(networks, shapes, strict=True)
    ]

    def report(result: TrainingResult) -> None:
        for record in result.history:
            report_epoch(progress, record)

    return workers.run_parts(_train_network, (data,), parts, report)


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
