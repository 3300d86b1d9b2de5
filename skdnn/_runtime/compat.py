"""The only use of names that scikit-learn and joblib do not promise to keep."""

from typing import NamedTuple

from joblib.parallel import BACKENDS, get_active_backend
from sklearn.utils import _safe_indexing as take_rows
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    InvalidParameterError,
    Options,
    StrOptions,
    validate_parameter_constraints,
)
from sklearn.utils.validation import _check_sample_weight as check_sample_weight

__all__ = [
    "HasMethods",
    "Interval",
    "InvalidParameterError",
    "Options",
    "StrOptions",
    "active_backend",
    "check_sample_weight",
    "has_callbacks",
    "take_rows",
    "validate_parameter_constraints",
]


def has_callbacks(estimator) -> bool:
    """Return whether an estimator has callbacks of scikit-learn's own (since 1.9)."""
    return bool(getattr(estimator, "_skl_callbacks", None))


class Backend(NamedTuple):
    """Where joblib would run jobs now.

    Parameters
    ----------
    is_local : bool
        Whether it is one of joblib's own, on this machine.
    is_sequential : bool
        Whether it is the one that runs one job after the other.
    n_jobs : int or None
        What ``parallel_config`` was told.
    """

    is_local: bool
    is_sequential: bool
    n_jobs: int | None


def active_backend() -> Backend:
    """Return where joblib would run jobs now."""
    backend, n_jobs = get_active_backend()
    own = {BACKENDS.get(name) for name in ("loky", "multiprocessing", "threading")}
    is_sequential = type(backend) is BACKENDS["sequential"]
    return Backend(is_sequential or type(backend) in own, is_sequential, n_jobs)
