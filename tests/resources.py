"""What a call uses: memory, and threads of linear algebra."""

import tracemalloc

from threadpoolctl import threadpool_info


def traced(work):
    """Return the bytes that a call leaves behind, and those that it holds at most.

    They are those of Python's and NumPy's memory.
    """
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()


def left_by(work):
    """Return the bytes that a call leaves behind."""
    return traced(work)[0]


def peak_of(work):
    """Return the bytes that a call holds at most."""
    return traced(work)[1]


def blas_counts():
    """Return how many threads each library of linear algebra uses."""
    return [
        library["num_threads"]
        for library in threadpool_info()
        if library["user_api"] == "blas"
    ]
