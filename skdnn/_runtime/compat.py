"""The only use of names that other packages do not promise to keep.

Of each, the reason why no public name serves; ``tests/runtime/test_compat.py`` fails
when one can go.
"""

import sys
from collections import defaultdict
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import sklearn.utils
import sklearn.utils._param_validation as _constraints
import sklearn.utils.validation
from joblib.parallel import BACKENDS, get_active_backend
from sklearn.model_selection import GridSearchCV

# scikit-learn

# Rows of any container by position; every container has another public way.
take_rows = sklearn.utils._safe_indexing

# What has a value per row, cut to some rows, as scikit-learn's searches cut it.
rows_of_params = sklearn.utils.validation._check_method_params

# `sample_weight` with scikit-learn's messages, which its estimator checks expect.
check_sample_weight = sklearn.utils.validation._check_sample_weight

# Parameters by a table, with scikit-learn's messages; nothing public checks them.
HasMethods = _constraints.HasMethods
Hidden = _constraints.Hidden
Interval = _constraints.Interval
InvalidParameterError = _constraints.InvalidParameterError
Options = _constraints.Options
StrOptions = _constraints.StrOptions
validate_parameter_constraints = _constraints.validate_parameter_constraints


def has_callbacks(estimator: Any) -> bool:
    """Return whether an estimator has callbacks of scikit-learn's own (since 1.9).

    The public ``set_callbacks`` only sets them.
    """
    return bool(getattr(estimator, "_skl_callbacks", None))


def check_parameters(estimator: Any) -> None:
    """Check the parameters of an estimator of scikit-learn as its own `fit` does.

    Its `fit` is the only public way, and trains.
    """
    validate_parameter_constraints(
        estimator._parameter_constraints,
        estimator.get_params(deep=False),
        type(estimator).__name__,
    )


class TimedGridSearchCV(GridSearchCV):  # type: ignore[misc]  # scikit-learn has no types
    """A grid search whose fit times are given, before the best is chosen.

    ``BaseSearchCV`` documents `_run_search` as what a subclass overrides.
    """

    fit_seconds: np.ndarray | None = None  # (n_candidates, n_splits)

    def _run_search(
        self,
        evaluate_candidates: Callable[..., dict[str, Any]],
        callback_ctx: Any = None,  # found by its name, since 1.9
    ) -> None:
        def evaluate(*args: Any, **params: Any) -> dict[str, Any]:
            results = evaluate_candidates(*args, **params)
            if self.fit_seconds is not None:
                results["mean_fit_time"] = self.fit_seconds.mean(axis=1)
                results["std_fit_time"] = self.fit_seconds.std(axis=1)
            return results

        context = {} if callback_ctx is None else {"callback_ctx": callback_ctx}
        super()._run_search(evaluate, **context)


# joblib


class Backend(NamedTuple):
    """Where joblib would run jobs: on this machine, one after the other, how many.

    `returns_generators` is whether results are given as they arrive, `module` where the
    backend is defined, `client` the one of Dask.
    """

    is_local: bool
    is_sequential: bool
    n_jobs: int | None  # as `parallel_config` set it
    returns_generators: bool
    module: str
    client: Any


def active_backend() -> Backend:
    """Return where joblib would run jobs now; nothing public reports it."""
    backend, n_jobs = get_active_backend()
    own = {BACKENDS.get(name) for name in ("loky", "multiprocessing", "threading")}
    is_sequential = type(backend) is BACKENDS["sequential"]
    return Backend(
        is_sequential or type(backend) in own,
        is_sequential,
        n_jobs,
        bool(backend.supports_return_generator),
        type(backend).__module__,
        getattr(backend, "client", None),
    )


def is_joblib_memmap(X: np.memmap) -> bool:
    """Return whether joblib wrote an array to a file for its other processes.

    The name of its folder is all that shows it; nothing public does.
    """
    return "joblib_memmapping_folder_" in str(X.filename)


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
    variables = getattr(optimizer, "_exclude_from_weight_decay", None)
    pattern = getattr(optimizer, "_exclude_from_weight_decay_pattern", None)
    return bool(variables) or pattern is not None


def loss_tracker(model: Any) -> Any:
    """Return the metric that averages the loss of a compiled model.

    It is the first of ``metrics``, unless a subclass overrides them.
    """
    return model._loss_tracker


def rekey_optimizer(copy: Any, optimizer: Any) -> None:
    """Have an optimizer that shares another's variables find them by its own keys.

    Those that it was built with do not exist inside TensorFlow's stateless scope.
    """
    keys = {
        optimizer._var_key(variable): copy._var_key(variable)
        for variable in optimizer._trainable_variables
    }
    attributes = vars(copy)
    attributes["_trainable_variables_indices"] = {
        keys[key]: index
        for key, index in optimizer._trainable_variables_indices.items()
    }
    attributes["_exclude_from_weight_decay_cache"] = {}
    excluded = getattr(optimizer, "_exclude_from_weight_decay", None)
    if excluded:
        attributes["_exclude_from_weight_decay"] = {keys.get(key) for key in excluded}


def name_counts() -> dict[str, int]:
    """Return how often Keras has given each automatic name in this thread.

    Nothing public reads or sets it; ``clear_session`` resets all, the user's too. For
    a process that has loaded Keras.
    """
    from keras.src.backend.common import global_state

    return dict(global_state.get_global_attribute(_NAME_COUNTS) or {})


def set_name_counts(counts: dict[str, int]) -> None:
    """Have Keras number the next automatic names after these counts."""
    from keras.src.backend.common import global_state

    global_state.set_global_attribute(_NAME_COUNTS, defaultdict(int, counts))


_NAME_COUNTS = "object_name_uids"

# TensorFlow


def started_runtimes() -> set[str]:
    """Return which of TensorFlow and JAX have threads and devices in this process.

    Nothing is imported or started; the public names would start them.
    """
    eager = getattr(sys.modules.get(_EAGER_CONTEXT), "_context", None)
    devices = getattr(sys.modules.get("jax._src.xla_bridge"), "_backends", None)
    started = {"tensorflow": getattr(eager, "_initialized", False), "jax": devices}
    return {name for name, value in started.items() if value}


_EAGER_CONTEXT = "tensorflow.python.eager.context"


def clear_kernel_cache() -> None:
    """Release what TensorFlow keeps of every variable that has ever existed.

    ``keras.utils.clear_session`` calls the same, and resets names and seeds as well.
    """
    from tensorflow.python.eager import context

    context.context().clear_kernel_cache()
