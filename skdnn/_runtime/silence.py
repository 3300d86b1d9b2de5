"""Start-up messages of TensorFlow that do not pass through Python's sys.stderr."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator

_LOG_LEVEL = "TF_CPP_MIN_LOG_LEVEL"


@contextlib.contextmanager
def only_errors_logged() -> Iterator[None]:
    """Set TensorFlow's log level to errors only, unless the user has set one."""
    before = os.environ.get(_LOG_LEVEL)
    if before not in (None, "1"):  # 1 is what JAX sets where it is installed
        yield
        return
    os.environ[_LOG_LEVEL] = "2"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_LOG_LEVEL]
        else:
            os.environ[_LOG_LEVEL] = before


@contextlib.contextmanager
def descriptor_silenced(descriptor: int) -> Iterator[None]:
    """Hold back what is written to a file descriptor; write it if the block raises."""
    sys.stderr.flush()
    with tempfile.TemporaryFile() as kept:
        saved = os.dup(descriptor)
        os.dup2(kept.fileno(), descriptor)
        try:
            yield
        except BaseException:
            os.dup2(saved, descriptor)
            kept.seek(0)
            os.write(descriptor, kept.read())
            raise
        finally:
            os.dup2(saved, descriptor)
            os.close(saved)
