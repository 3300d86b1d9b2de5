"""Many networks trained side by side: those of one shape share a compiled program."""

import threading
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from skdnn._runtime import keras_backend, threads
from skdnn._training import devices
from skdnn._training.loop import Training, train
from skdnn._training.task import TrainingResult, TrainingTask

# Weights times rows from which a step is work enough for itself.
_STEPS_ALONE = 2**20


def train_stack(
    tasks: Sequence[TrainingTask],
    n_threads: int | None = None,
    on_end: Callable[[], None] = lambda: None,
    n_alike: Sequence[int] | None = None,
) -> list[TrainingResult | Exception]:
    """Train networks in threads (None: one per core); return results in their order.

    One thread per network keeps a small one in the cache of its core, where a step
    over many at once would not. A fit that fails leaves its exception in place of a
    result. An interrupt of the user is raised once all have ended; one network alone
    is returned as it was then. `on_end` is called as each fit ends, from any thread.
    `n_alike` is how many fits of its shape each task is one of, None to count them.
    """
    keras_backend.load()  # before any thread needs it
    shapes = [shape_of(task) for task in tasks]
    alike = Counter(shapes)  # in the order of their first task
    counts = n_alike or [alike[shape] for shape in shapes]
    results: dict[int, TrainingResult | Exception] = {}
    stop = threading.Event()

    def run(i: int) -> None:
        try:
            results[i] = train(tasks[i], counts[i], stop.is_set)
        except Exception as error:
            results[i] = error
        if len(tasks) > 1 and getattr(results[i], "interrupted", False):
            raise KeyboardInterrupt
        on_end()

    # one shape after the other, so that few programs are in use at a time
    rank = {shape: i for i, shape in enumerate(alike)}
    order = sorted(range(len(tasks)), key=lambda i: rank[shapes[i]])
    _run_side_by_side(run, order, n_threads, stop)
    return [results[i] for i in range(len(tasks))]


class Rounds:
    """Networks of one shape, trained side by side for some epochs at a time."""

    def __init__(self, tasks: Sequence[TrainingTask]):
        keras_backend.load()
        self.trainings = [Training(task, len(tasks)) for task in tasks]
        groups: dict[Hashable, list[Training]] = {}
        for i, (task, training) in enumerate(zip(tasks, self.trainings, strict=True)):
            groups.setdefault(_common_size(task) or i, []).append(training)
        self._groups = list(groups.values())

    @property
    def n_epochs(self) -> int:
        return self.trainings[0].n_epochs

    def advance(self, n_epochs: int) -> None:
        """Train each network for more epochs; raise the first error."""
        stop = threading.Event()

        def run(i: int) -> None:
            first, *others = self._groups[i]
            first.run(stop.is_set, n_epochs, others)

        _run_side_by_side(run, range(len(self._groups)), None, stop)

    def states(self) -> list[dict[str, Any]]:
        """Return what `restore` needs to continue from here."""
        return [training.state() for training in self.trainings]

    def restore(self, states: Sequence[dict[str, Any]]) -> None:
        """Continue, before the first epoch, where the same networks were."""
        for training, state in zip(self.trainings, states, strict=True):
            training.restore(state)

    def results(self) -> list[TrainingResult]:
        """End training; see `Training.result`."""
        return [training.result() for training in self.trainings]


def shape_of(task: TrainingTask) -> Hashable:
    """Return what fits that share a program have in common."""
    spec = task.spec.without_rates()
    return spec, task.solver, task.penalties.active, task.batch_size


def _common_size(task: TrainingTask) -> Hashable:
    """Return what networks that step together have in common; None for one alone.

    PyTorch spends more time between the operations of a small step than in them.
    """
    n_weights = sum(array.size for array in task.spec.arrays)
    is_small = task.batch_size * n_weights < _STEPS_ALONE
    if keras_backend.backend() != "torch" or not is_small:
        return None
    n_held = 0 if task.validation is None else len(task.validation)
    return task.n_train, task.batch_size, n_held


def _run_side_by_side(
    run: Callable[[int], None],
    order: Sequence[int],
    n_threads: int | None,
    stop: threading.Event,
) -> None:
    """Call a function in threads; where one call raises, the others are to stop."""
    n = min(n_threads or threads.thread_count(), len(order))
    if devices.strategy() is not None:  # its scope is that of this thread
        n = 1
    if n < 2:
        for i in order:
            run(i)
        return
    with ThreadPoolExecutor(n) as pool:
        try:
            for _ in pool.map(run, order):
                pass
        except BaseException:  # the user's interrupt ends them all
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
