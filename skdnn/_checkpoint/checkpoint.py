"""A checkpoint: the states of all networks of a fit, kept in one file."""

import os
import threading
import time
import warnings
from pathlib import Path
from typing import Any

from skdnn._checkpoint.container import Packed, Tree, from_bytes, to_bytes
from skdnn._checkpoint.identity import Identity, named
from skdnn._runtime.atomic_file import Writer
from skdnn._runtime.compat import Hidden
from skdnn.exceptions import CheckpointWarning

# Seconds of training of a network between two states of it that are kept.
INTERVAL = 10.0
# Share of the time that is spent writing, at most.
SHARE = 0.02
_WRITER = Writer("checkpoint", "training.checkpoint")
_IDENTITY = "identity"
_REMEDY = "Delete the file to train from the start, or give another path."


class DifferentFitError(ValueError):
    """A checkpoint is of another fit than the one that it was given to."""


class Checkpoint:
    """The file, its parts by name, and when it is written again.

    Any thread may put a part; one writes at a time, and no other waits for it.
    """

    def __init__(self, path: str | os.PathLike[str]):
        self._path = Path(os.path.realpath(os.fspath(path)))
        self._parts = _read(self._path)
        self._lock, self._writing = threading.Lock(), threading.Lock()
        self._next_write = float("inf")  # not before it is created
        self._n_put = self._n_written = 0
        self._own: tuple[int, ...] | None = None
        self._problem: str | None = None
        self._has_warned = False
        # whether problems wait for a call of `report`
        self.waits_to_report = False

    def load(self, name: str) -> Tree | None:
        """Return a part that the file keeps, None if there is none."""
        with self._lock:
            packed = self._parts.get(name)
        return None if packed is None else packed.unpacked()

    def put(self, name: str, tree: Tree) -> None:
        """Replace a part, and write the file unless it was written just before."""
        packed = Packed.of(tree)
        with self._lock:
            self._parts[name] = packed
            self._n_put += 1
        if time.perf_counter() >= self._next_write:
            if self._writing.acquire(blocking=False):
                try:
                    self._try_to_write()
                finally:
                    self._writing.release()
            self._report_unless_waiting()

    def create(self) -> None:
        """Write the file before training; ``OSError`` if it is impossible."""
        with self._writing:
            self._write()

    def flush(self) -> None:
        """Write what has been put since the last time."""
        with self._writing:
            if self._n_put > self._n_written:
                self._try_to_write()
        self._report_unless_waiting()

    def report(self) -> None:
        """Warn, once, if the file could not be written."""
        with self._lock:
            problem, is_new = self._problem, not self._has_warned
            self._has_warned = self._has_warned or problem is not None
        if problem is not None and is_new:
            warnings.warn(problem, CheckpointWarning, stacklevel=2)

    def _report_unless_waiting(self) -> None:
        if not self.waits_to_report:
            self.report()

    def _try_to_write(self) -> None:
        try:
            self._write()
        except OSError as error:
            self._next_write = time.perf_counter() + INTERVAL
            self._problem = (
                f"{error} Training continues, and the next states of it are written "
                "once that is possible; what the file held before is unchanged."
            )

    def _write(self) -> None:
        self._check_own()
        with self._lock:
            parts, n_put = dict(self._parts), self._n_put
        self._own = None  # unknown, if what follows is interrupted
        started = time.perf_counter()
        _WRITER.write(self._path, lambda: to_bytes(parts))
        ended = time.perf_counter()
        self._next_write = ended + (ended - started) / SHARE
        self._own, self._n_written = _mark(self._path), n_put

    def _check_own(self) -> None:
        """Raise ``OSError`` if another fit has written the file in the meantime."""
        mark = _mark(self._path)
        if self._own is not None and mark is not None and mark != self._own:
            raise OSError(
                f"checkpoint {str(self._path)!r} must be written by one fit at a time. "
                "Got a file that another one has written since. Give each its own path."
            )


class Part:
    """A place in a checkpoint, for one fit or one network, and the places below."""

    def __init__(self, checkpoint: Checkpoint, name: str = ""):
        self._checkpoint, self._name = checkpoint, name
        self._last_put = time.perf_counter()

    def below(self, name: str) -> "Part":
        return Part(self._checkpoint, f"{self._name}/{name}")

    @property
    def is_due(self) -> bool:
        """Whether the state of a network in training is to be put again."""
        return time.perf_counter() - self._last_put >= INTERVAL

    def load(self) -> Tree | None:
        return self._checkpoint.load(self._name)

    def put(self, tree: Tree) -> None:
        self._last_put = time.perf_counter()
        self._checkpoint.put(self._name, tree)

    def flush(self) -> None:
        self._checkpoint.flush()

    def report(self) -> None:
        self._checkpoint.report()

    def wait_to_report(self) -> None:
        """Leave problems to calls of `report`."""
        self._checkpoint.waits_to_report = True

    def identify(self, identity: Identity) -> None:
        """Keep what identifies a fit; raise if another one was kept here."""
        place = self.below(_IDENTITY)
        kept = place.load()
        differences = identity.differences(kept) if kept else []
        if differences:
            raise DifferentFitError(
                f"checkpoint {str(self._checkpoint._path)!r} must be of the same fit: "
                "the same table, parameters and versions. Got one that differs in "
                f"{named(differences)}. {_REMEDY}"
            )
        if not kept:
            place.put(identity.as_tree())

    def __deepcopy__(self, memo: Any) -> "Part":
        return self  # scikit-learn's `clone` copies parameters


# What `open_part` takes, for tables of parameters; a part is internal.
PLACES: list[Any] = [str, os.PathLike, Hidden(Part), None]


def open_part(place: str | os.PathLike[str] | Part, identity: Identity) -> Part:
    """Return the place of a fit: a part, or the whole of the file at a path.

    ``ValueError`` if it is of another fit or no checkpoint, ``OSError`` if it is
    impossible to write there.
    """
    if isinstance(place, Part):
        place.identify(identity)
        return place
    checkpoint = Checkpoint(place)
    part = Part(checkpoint)
    part.identify(identity)
    checkpoint.create()
    return part


def _read(path: Path) -> dict[str, Packed]:
    """Return the parts that a file keeps; none if there is no file."""
    if not path.exists() or path.is_dir():  # which the writer refuses
        return {}
    if not path.is_file():
        raise ValueError(
            f"checkpoint must be the path of a file. Got {str(path)!r}, which is "
            "another kind of entry. Give another path."
        )
    try:
        return from_bytes(path.read_bytes())
    except ValueError as error:
        raise ValueError(
            f"checkpoint {str(path)!r} must be a file that skdnn has written, or not "
            f"exist. Got a file that is damaged or of another kind ({error}). {_REMEDY}"
        ) from error


def _mark(path: Path) -> tuple[int, ...] | None:
    """Return what changes whenever a file is replaced."""
    try:
        now = path.stat()
    except OSError:
        return None
    return now.st_dev, now.st_ino, now.st_mtime_ns
