"""The only use of names that scikit-learn and joblib do not promise to keep."""

from collections import defaultdict
from typing import Any, NamedTuple

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

from skdnn._runtime import keras_backend

__all__ = [
    "HasMethods",
    "Interval",
    "InvalidParameterError",
    "Options",
    "StrOptions",
    "active_backend",
    "check_sample_weight",
    "compile_config",
    "has_callbacks",
    "has_weight_decay_exclusions",
    "learning_rate_variable",
    "loss_tracker",
    "name_counts",
    "rekey_optimizer",
    "set_name_counts",
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


# Keras


def compile_config(model: Any) -> Any:
    """Return the arguments of the last ``compile`` of a model; None if there was none.

    A new object for each call of ``compile``, with objects in ``config``: the public
    ``get_compile_config`` serializes them, and fails for functions of the user.
    """
    return getattr(model, "_compile_config", None)


def has_weight_decay_exclusions(optimizer: Any) -> bool:
    """Return whether some variables are excluded from weight decay.

    ``exclude_from_weight_decay`` sets them; nothing public returns them.
    """
    return any(
        getattr(optimizer, f"_exclude_from_weight_decay{part}", None)
        for part in ("", "_pattern")
    )


def name_counts() -> dict[str, int]:
    """Return how often Keras has given each automatic name in this thread.

    Nothing public reads or sets it; ``clear_session`` resets all, the user's too.
    """
    keras_backend.load()
    from keras.src.backend.common import global_state

    return dict(global_state.get_global_attribute(_NAME_COUNTS) or {})


def set_name_counts(counts: dict[str, int]) -> None:
    """Have Keras number the next automatic names after these counts."""
    from keras.src.backend.common import global_state

    global_state.set_global_attribute(_NAME_COUNTS, defaultdict(int, counts))


_NAME_COUNTS = "object_name_uids"


def learning_rate_variable(optimizer: Any) -> Any:
    """Return the variable of a constant learning rate.

    The public ``learning_rate`` returns the variable's value inside a stateless scope.
    """
    return optimizer._learning_rate


def loss_tracker(model: Any) -> Any:
    """Return the metric that averages the loss of a compiled model.

    It is the first of ``metrics``, unless a subclass overrides them.
    """
    return model._loss_tracker


def rekey_optimizer(twin: Any, optimizer: Any) -> None:
    """Have an optimizer that shares another's variables find them by its own keys.

    An optimizer is built once, by its backend's keys of variables; those of TensorFlow
    do not exist inside a stateless scope.
    """
    keys = {
        optimizer._var_key(variable): twin._var_key(variable)
        for variable in optimizer._trainable_variables
    }
    attributes = vars(twin)
    attributes["_trainable_variables_indices"] = {
        keys[key]: index
        for key, index in optimizer._trainable_variables_indices.items()
    }
    attributes["_exclude_from_weight_decay_cache"] = {}
    excluded = getattr(optimizer, "_exclude_from_weight_decay", None)
    if excluded:
        attributes["_exclude_from_weight_decay"] = {keys.get(key) for key in excluded}
