"""Parts of work on the workers of a joblib backend that the user has set.

Backends of joblib's own run on this machine, and are left to the callers: this is for
those of Dask, Ray and others, whose workers are other processes, maybe of other
machines.
"""

import sys
import time
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import joblib

from skdnn._runtime import threads
from skdnn._runtime.compat import active_backend

# From about a kilobyte on, joblib's Dask backend sends an argument once, not with every
# call. The true size would have Dask keep the parts where the data is.
_COUNTS_AS_LARGE = 2**20
# How often parts are given out without any of them being finished.
_ATTEMPTS = 3
# How long others are waited for that start in the place of those lost, in seconds.
_PATIENCE = 10.0


def are_set() -> bool:
    """Return whether parts of work go to workers: joblib's backend is not its own.

    Not within a task of Dask, which has a worker to itself already.
    """
    return not active_backend().is_local and not _is_on_dask_worker()


def are_of_dask() -> bool:
    """Return whether parts of work go to workers of Dask."""
    return are_set() and active_backend().client is not None


def _is_on_dask_worker() -> bool:
    distributed = sys.modules.get("distributed")
    if distributed is None:
        return False
    try:
        distributed.get_worker()
    except ValueError:  # this is none
        return False
    return True


@contextmanager
def waiting_for_others() -> Iterator[None]:
    """Give other tasks the place of this one, if a worker of Dask runs it.

    For work that waits for results of other tasks: if such work had all places, these
    tasks would never run.
    """
    if not _is_on_dask_worker():
        yield
        return
    distributed: Any = sys.modules["distributed"]  # which has few annotations
    distributed.secede()
    try:
        yield
    finally:
        distributed.rejoin()


def call_on_each(function: Callable[..., Any], *args: Any) -> None:
    """Call a function in every process of the cluster of Dask, but not in this one."""
    active_backend().client.run(function, *args, on_error="ignore")


def count(n_jobs: int | None = None) -> int:
    """Return how many parts the workers work on at the same time."""
    return int(joblib.effective_n_jobs(n_jobs))


class _Sent:
    """Arguments that all parts share: sent with the first, or kept by Ray."""

    def __init__(self, values: tuple[Any, ...]):
        self._is_kept = active_backend().module.startswith("ray.")
        self._values = sys.modules["ray"].put(values) if self._is_kept else values

    def values(self) -> tuple[Any, ...]:
        """Return the arguments."""
        if self._is_kept:
            import ray

            return tuple(ray.get(self._values))
        return tuple(self._values)

    def __sizeof__(self) -> int:
        return _COUNTS_AS_LARGE


@dataclass(frozen=True)
class _Done:
    """What a part returned or raised; `trace` is where."""

    number: int
    result: Any = None
    error: Exception | None = None
    trace: str = ""


def run_parts(
    function: Callable[..., Any],
    shared: tuple[Any, ...],
    parts: Sequence[tuple[Any, ...]],
    on_done: Callable[[Any], None] = lambda result: None,
    *,
    n_jobs: int | None = None,
    sends_one: bool = False,
) -> list[Any]:
    """Return ``function(*shared, *part)`` for each part; workers compute them.

    The `shared` arguments are sent once, and passed on among the workers. What a worker
    that ends had not finished is done by others; `on_done` is called with each result
    when it arrives. The first error that a part raises is raised here. A part that is
    the only one is not sent, except with `sends_one`.
    """
    if len(parts) == 1 and not sends_one:
        result = function(*shared, *parts[0])
        on_done(result)
        return [result]
    with _pool(n_jobs) as pool:
        return _run_all(function, shared, parts, on_done, n_jobs, pool)


def _run_all(
    function: Callable[..., Any],
    shared: tuple[Any, ...],
    parts: Sequence[tuple[Any, ...]],
    on_done: Callable[[Any], None],
    n_jobs: int | None,
    pool: joblib.Parallel | None,
) -> list[Any]:
    """Give parts out until all are finished; see `run_parts`."""
    results: dict[int, Any] = {}
    n_failed, n_workers = 0, count(n_jobs)
    while len(results) < len(parts):
        before = len(results)
        left = [i for i in range(len(parts)) if i not in results]
        if pool is not None:  # if a worker ends, all that it is given now is lost
            left = left[:n_workers]
        # sent again each time: a worker may have taken the only copy with it
        sent = _Sent(shared)
        calls = [joblib.delayed(_run_part)(function, sent, i, parts[i]) for i in left]
        try:
            with _results(calls, n_jobs, pool) as arriving:
                for done in arriving:
                    if done.error is not None:
                        break
                    results[done.number] = done.result
                    on_done(done.result)
                else:
                    n_failed = 0
                    continue
        except Exception:  # of the backend: those of the parts are values
            n_failed = 0 if len(results) > before else n_failed + 1
            if n_failed == _ATTEMPTS:
                raise
            _wait_for_workers(n_workers, n_jobs)
            continue
        done.error.add_note(f"On a worker:\n{done.trace}")
        raise done.error
    return [results[i] for i in range(len(parts))]


@contextmanager
def _pool(n_jobs: int | None) -> Iterator[joblib.Parallel | None]:
    """Keep the workers of a backend that cannot give results as they arrive.

    Such backends, like Ray's, start new ones for each call otherwise.
    """
    if active_backend().returns_generators:
        yield None
        return
    with joblib.Parallel(n_jobs, batch_size=1) as pool:
        yield pool


@contextmanager
def _results(
    calls: list[Any], n_jobs: int | None, pool: joblib.Parallel | None
) -> Iterator[Iterable[Any]]:
    """Give the results, as they arrive or, with a pool, when all have."""
    if pool is not None:
        yield pool(calls)
        return
    arriving = joblib.Parallel(
        n_jobs, batch_size=1, pre_dispatch="all", return_as="generator_unordered"
    )(calls)
    try:
        yield arriving
    finally:
        with warnings.catch_warnings():  # joblib warns of the rest, which is not wanted
            warnings.filterwarnings("ignore", category=UserWarning, module="joblib")
            arriving.close()


def _wait_for_workers(wanted: int, n_jobs: int | None) -> None:
    """Wait until there are as many as before: joblib would do the work here for one."""
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        with suppress(TimeoutError):  # joblib has waited, and there is none yet
            if count(n_jobs) >= wanted:
                return
        time.sleep(0.1)


def _run_part(
    function: Callable[..., Any], sent: _Sent, number: int, part: tuple[Any, ...]
) -> _Done:
    """Work on one part, with one thread: workers have as many parts as cores."""
    with joblib.parallel_config("sequential"), threads.limited(1):
        try:
            return _Done(number, function(*sent.values(), *part))
        except Exception as error:
            return _Done(number, None, error, traceback.format_exc())
