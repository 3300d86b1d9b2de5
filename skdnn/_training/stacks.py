"""Many networks trained side by side: those of one shape share a compiled program."""

import threading
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor

from skdnn._runtime import keras_backend, threads
from skdnn._training.execution import COMPILED_BACKENDS
from skdnn._training.loop import train
from skdnn._training.task import TrainingResult, TrainingTask


def train_stack(
    tasks: Sequence[TrainingTask],
    n_threads: int | None = None,
    on_end: Callable[[], None] = lambda: None,
) -> list[TrainingResult | Exception]:
    """Train networks in threads (None: one per core); return results in their order.

    One thread per network keeps a small one in the cache of its core, where a step
    over many at once would not. A fit that fails leaves its exception in place of a
    result. An interrupt of the user is raised once all have ended; one network alone
    is returned as it was then. `on_end` is called as each fit ends, from any thread.
    """
    keras_backend.load()  # before any thread needs it
    shapes = [shape_of(task) for task in tasks]
    alike = Counter(shapes)  # in the order of their first task
    results: dict[int, TrainingResult | Exception] = {}
    stop = threading.Event()

    def run(i: int) -> None:
        try:
            results[i] = train(tasks[i], alike[shapes[i]], stop.is_set)
        except Exception as error:
            results[i] = error
        if len(tasks) > 1 and getattr(results[i], "interrupted", False):
            raise KeyboardInterrupt
        on_end()

    # one shape after the other, so that few programs are in use at a time
    rank = {shape: i for i, shape in enumerate(alike)}
    order = sorted(range(len(tasks)), key=lambda i: rank[shapes[i]])
    n_threads = min(n_threads or threads.thread_count(), len(tasks))
    if n_threads < 2 or keras_backend.backend() not in COMPILED_BACKENDS:
        for i in order:
            run(i)
    else:
        _run_in_threads(run, order, n_threads, stop)
    return [results[i] for i in range(len(tasks))]


def shape_of(task: TrainingTask) -> Hashable:
    """Return what fits that share a program have in common."""
    spec = task.spec.without_rates()
    return spec, task.solver, task.penalties.active, task.batch_size


def _run_in_threads(
    run: Callable[[int], None], order: list[int], n: int, stop: threading.Event
) -> None:
    with ThreadPoolExecutor(n) as pool:
        try:
            for _ in pool.map(run, order):
                pass
        except BaseException:  # the user's interrupt ends them all
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
