"""Refuses Keras in a process that was forked after Keras was used."""

import os

from skdnn import exceptions

_first_process: int | None = None


def check_process() -> None:
    """Raise `ForkError` in a process forked after its parent used Keras.

    The threads of the backend do not survive a fork, so that the first call hangs.
    """
    if _first_process is not None and _first_process != os.getpid():
        raise exceptions.ForkError(
            "A network must be trained in the process that first used Keras, or in a "
            f"fresh one; this process ({os.getpid()}) was forked from {_first_process} "
            "after that, where TensorFlow would hang. Start workers with joblib's "
            "'loky' backend or multiprocessing.get_context('spawn'); predicting "
            "works in any process."
        )


def mark_used() -> None:
    """Record that this process uses Keras."""
    global _first_process
    _first_process = os.getpid()


def is_used_here() -> bool:
    """Return whether this very process has used Keras, not only its parent."""
    return _first_process == os.getpid()
