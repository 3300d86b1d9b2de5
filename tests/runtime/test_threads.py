import os
import threading

import joblib
import pytest
from resources import blas_counts
from threadpoolctl import threadpool_limits

from skdnn._runtime import threads


@pytest.fixture
def worker(monkeypatch):
    """Make this process a worker of joblib with three threads."""
    for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setenv("LOKY_WORKER_NUMBER", "1")
    monkeypatch.setenv("OMP_NUM_THREADS", "3")


def test_a_worker_uses_the_threads_that_joblib_gave_it(worker):
    assert threads.thread_count() == 3
    threads.limit_tensorflow_threads()
    assert os.environ["TF_NUM_INTRAOP_THREADS"] == "3"
    assert os.environ["TF_NUM_INTEROP_THREADS"] == "3"


def test_settings_of_the_user_are_kept(worker, monkeypatch):
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "2")
    threads.limit_tensorflow_threads()
    assert os.environ["TF_NUM_INTRAOP_THREADS"] == "2"


def test_other_processes_are_not_limited(worker, monkeypatch):
    monkeypatch.delenv("LOKY_WORKER_NUMBER")
    assert threads.thread_count() == joblib.cpu_count()
    threads.limit_tensorflow_threads()
    assert "TF_NUM_INTRAOP_THREADS" not in os.environ


@pytest.mark.parametrize(("n_blocks", "n_threads"), [(3, 2), (40, 2), (40, 1)])
def test_every_block_is_worked_on_once(n_blocks, n_threads, monkeypatch):
    monkeypatch.setattr(threads, "blas_thread_count", lambda: n_threads)
    started = []
    threads.run_blocks(started.append, iter(range(n_blocks)))
    assert sorted(started) == list(range(n_blocks))


def test_many_blocks_are_shared_among_threads_with_one_blas_thread_each(monkeypatch):
    monkeypatch.setattr(threads, "blas_thread_count", lambda: 2)
    both = threading.Barrier(2, timeout=20)
    counts = []

    def work(start):
        both.wait()  # returns only if two blocks run at the same time
        counts.extend(blas_counts())

    threads.run_blocks(work, range(8))
    assert set(counts) == {1}


@pytest.mark.parametrize("small", [True, False])
def test_few_blocks_have_one_blas_thread_if_they_are_small(small):
    counts = []
    threads.run_blocks(lambda _: counts.extend(blas_counts()), range(2), small=small)
    assert counts == (2 * len(blas_counts()) * [1] if small else 2 * blas_counts())


def test_only_one_thread_limits_linear_algebra():
    with threads.one_blas_thread() as outer, threads.one_blas_thread() as inner:
        assert outer
        assert not inner
        assert set(blas_counts()) == {1}
    with threads.one_blas_thread(wanted=False) as limited:
        assert not limited


def test_blocks_within_blocks_run_in_their_own_thread(monkeypatch):
    monkeypatch.setattr(threads, "blas_thread_count", lambda: 2)
    pairs = []

    def work(start):
        outer = threading.get_ident()
        threads.run_blocks(
            lambda _: pairs.append((outer, threading.get_ident())), range(8)
        )

    threads.run_blocks(work, range(8))
    assert len(pairs) == 64
    assert all(outer == inner for outer, inner in pairs)


def test_the_limit_of_linear_algebra_is_respected():
    with threadpool_limits(limits=1, user_api="blas"):
        assert threads.blas_thread_count() == 1


def test_thread_counts_of_linear_algebra_are_restored():
    before = blas_counts()
    threads.run_blocks(lambda start: None, range(100))
    assert blas_counts() == before


def test_an_error_in_a_block_is_raised():
    def fail(start):
        raise RuntimeError("block")

    with pytest.raises(RuntimeError, match="block"):
        threads.run_blocks(fail, range(100))
