"""scikeras's class between `fit` and Keras, with its faults fixed."""

import copy
import functools
import inspect
from collections.abc import Callable, Hashable
from contextlib import suppress
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import ClassifierTags, Tags, check_consistent_length
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.validation import (
    check_array,
    check_is_fitted,
    column_or_1d,
    validate_data,
)

from skdnn._keras_wrapper import routing, scikeras_import
from skdnn._keras_wrapper.building import build_again, seeded
from skdnn._keras_wrapper.outputs import (
    as_probabilities,
    check_network,
    check_trained,
)
from skdnn._keras_wrapper.prediction import predict
from skdnn._keras_wrapper.target_encoder import ClassEncoder
from skdnn._runtime import keras_backend
from skdnn._runtime.compat import check_sample_weight
from skdnn._runtime.seeds import as_seed
from skdnn._training.keras_fallback import overrides
from skdnn._training.loop import train_model
from skdnn._training.nested_rows import NestedRows, take
from skdnn._training.task import ModelTask

# Methods whose overriding makes predictions other than the network's outputs.
_OWN_PREDICTIONS = ("predict", "predict_step", "make_predict_function")

_wrappers = scikeras_import.load("scikeras.wrappers")
_metric_name = scikeras_import.load("scikeras.utils").metric_name


class Wrapper(_wrappers.KerasClassifier):  # type: ignore[misc, name-defined]
    """The base of `KerasClassifier`."""

    _routing_prefixes = _wrappers.KerasClassifier._routing_prefixes | {
        "callbacks", "score",
    }  # fmt: skip
    __repr__ = BaseEstimator.__repr__

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        # scikeras's order of bases hides the tags of ClassifierMixin
        tags.estimator_type = "classifier"
        tags.classifier_tags = ClassifierTags(multi_label=True)
        tags.target_tags.required = tags.target_tags.multi_output = True
        tags.input_tags.sparse = tags.input_tags.three_d_array = True
        return tags

    def __sklearn_is_fitted__(self) -> bool:
        return bool(self.initialized_)

    @property
    def target_encoder(self) -> Any:
        """The encoder from classes to targets; a subclass may have its own."""
        loss, kind = self.loss, keras_backend.load().losses.CategoricalCrossentropy
        if inspect.isclass(loss) and issubclass(loss, kind):
            loss = "categorical_crossentropy"
        return ClassEncoder(loss, "auto" if self.classes_ is None else [self.classes_])

    # from the caller's rows to the network's

    def _validate_data(
        self, X: Any, y: Any = None, reset: bool = False
    ) -> tuple[Any, Any]:
        """Check X and y; learn their shapes, or compare (`reset` false)."""
        if y is not None:
            y = self._validate_targets(y, reset)
        if not reset:
            self._compare_shape(X)
        dtype = keras_backend.load().config.floatx() if _is_text(X) else "numeric"
        X = validate_data(
            self, X, reset=reset, accept_sparse="csr", allow_nd=True, dtype=dtype
        )
        check_consistent_length(X, y)
        if reset:
            self.X_dtype_, self.X_shape_ = X.dtype, X.shape
        return X, y

    def _compare_shape(self, X: Any) -> None:
        """Compare shapes of arrays that are not tables; scikit-learn does tables."""
        shape = X.shape if hasattr(X, "shape") else np.asarray(X).shape
        if len(shape) > 1 and len(shape) != len(self.X_shape_):
            raise ValueError(
                f"X has {len(shape)} dimensions, but this {self.__name__} is expecting "
                f"{len(self.X_shape_)} dimensions in X."
            )
        if len(shape) > 2 and shape[1:] != self.X_shape_[1:]:
            raise ValueError(
                f"X has shape {shape[1:]}, but this {self.__name__} is expecting X of "
                f"shape {self.X_shape_[1:]}, without the rows."
            )

    def _validate_targets(self, y: Any, reset: bool) -> Any:
        y = check_array(y, ensure_2d=False, dtype=None, input_name="y")
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        if reset:
            is_first = y.ndim == 1 and self.classes_ is None
            classes: Any = np.unique(y) if is_first else self.classes_
            if y.ndim == 1 and len(classes) < 2:
                raise ValueError(
                    f"{self.__name__} needs rows of at least 2 classes. Got 1 class: "
                    f"{classes[0]!r} (n_samples={len(y)})."
                )
            self.target_type_ = self._type_of_target(y)
            self.y_dtype_, self.y_ndim_ = y.dtype, y.ndim
        elif not np.can_cast(y.dtype, self.y_dtype_, "same_kind"):
            raise ValueError(
                f"Got y with dtype {y.dtype}, but this {self.__name__} expected "
                f"{self.y_dtype_}, as in the first fit. Use y.astype."
            )
        elif y.ndim != self.y_ndim_:
            raise ValueError(
                f"y has {y.ndim} dimensions, but this {self.__name__} is expecting "
                f"{self.y_ndim_} dimensions in y."
            )
        return y

    def _take_classes(self, classes: Any) -> None:
        """Set `classes_` to the given classes; None keeps the known ones."""
        known = getattr(self, "classes_", None)
        if classes is None or known is None:
            self.classes_ = known if classes is None else np.unique(classes)
        elif not np.array_equal(np.unique(classes), known):
            raise ValueError(
                f"`classes` must be those of the first call: {list(known)}. Got "
                f"{list(np.unique(classes))}. Clone the estimator to start again."
            )

    def _weigh(self, X: Any, y: Any, sample_weight: Any) -> tuple[Any, Any, Any]:
        """Return the rows of nonzero weight, and their weights (None: unweighted)."""
        if sample_weight is None and self.class_weight is None:
            return X, y, None
        if sample_weight is not None and not np.asarray(sample_weight).any():
            raise ValueError(
                "`sample_weight` must not be 0 for all rows: only zeros were passed in "
                f"sample_weight. Got {len(y)} zeros; None weighs rows equally."
            )
        weight = check_sample_weight(sample_weight, X, dtype=np.float64)
        if self.class_weight is not None:
            weight = weight * compute_sample_weight(self.class_weight, y)
        kept = weight != 0
        return X[kept], y[kept], weight[kept]

    # from parameters to a network

    def _initialize(self, X: Any, y: Any) -> tuple[Any, Any]:
        self._check_parameters()
        self._random_state: Any = as_seed(self.random_state)
        X, y = self._validate_data(X, y, reset=True)
        self.target_encoder_ = self.target_encoder.fit(y)
        self.feature_encoder_ = self.feature_encoder.fit(X)
        for encoder in (self.target_encoder_, self.feature_encoder_):
            for name, value in getattr(encoder, "get_metadata", dict)().items():
                setattr(self, name, value)
        self.model_ = self._build_keras_model()
        self._initialize_callbacks()
        return X, y

    def _check_parameters(self) -> None:
        routing.check_names(
            self.get_params(deep=False),
            getattr(self, "_user_params", set()),
            self._builder(),
            self._routing_prefixes,
        )

    def _builder(self) -> Callable[..., Any]:
        Model = keras_backend.load().Model
        model = self.build_fn if self.model is None else self.model
        if model is None:
            model = getattr(self, "_keras_build_fn", None)
        return model if callable(model) and not isinstance(model, Model) else _nothing

    def _build_keras_model(self) -> Any:
        def build() -> Any:
            with seeded(seed):
                return super(Wrapper, self)._build_keras_model()

        # scikeras would set TensorFlow's seeds and leave its determinism on
        seed = self._random_state
        self._random_state = None
        try:
            model = build_again(_key(self._builder()), build)
        finally:
            self._random_state = seed
        if not isinstance(model, keras_backend.load().Model):
            raise TypeError(
                "``model`` must be a function that returns a keras.Model, or a "
                f"keras.Model. Got one that returns {model!r}."
            )
        if self._builder() is _nothing:  # the caller's model
            with suppress(TypeError, ValueError, NotImplementedError):
                return copy.deepcopy(model)
        return model

    def _ensure_compiled_model(self) -> None:
        if not self.model_.compiled:
            build_again(
                (_key(self._builder()), "compile"),
                lambda: self.model_.compile(**self._get_compile_kwargs()),
            )
        losses = keras_backend.load().tree.flatten(self.model_.loss)
        for what, is_given in (
            ("a loss function", any(loss is not None for loss in losses)),
            ("an optimizer", self.model_.optimizer is not None),
        ):
            if not is_given:
                raise ValueError(
                    f"You must provide {what}, or a compiled model. Got neither; set "
                    f"{what.split()[1]}=, as loss='sparse_categorical_crossentropy' "
                    "for a softmax over classes."
                )

    def _get_compile_kwargs(self) -> dict[str, Any]:
        return routing.compile_arguments(self.get_params(), self._compile_kwargs)

    def _initialize_callbacks(self) -> None:
        given: Any = self.callbacks  # type: ignore[has-type]
        self.callbacks = list(given) if isinstance(given, tuple) else given
        try:
            super()._initialize_callbacks()
        finally:
            self.callbacks = given

    def _check_model_compatibility(self, y: Any) -> None:
        if getattr(self.model_, "outputs", None) is not None:
            super()._check_model_compatibility(y)

    # training and prediction

    def _fit(
        self, X: Any, y: Any, sample_weight: Any, warm_start: bool, **kwargs: Any
    ) -> None:
        """Train for `epochs` after the `initial_epoch`, which are in `kwargs`."""
        if warm_start and self.initialized_:
            self._check_parameters()
            X, y = self._validate_data(X, y)
        else:
            X, y = self._initialize(X, y)
        self._ensure_compiled_model()
        X, y, weight = self._weigh(X, y, sample_weight)
        y = self.target_encoder_.transform(y)
        X = self.feature_encoder_.transform(X)
        self._check_model_compatibility(y)
        arguments = routing.method_arguments("fit", self.get_params(), self._fit_kwargs)
        is_new = not warm_start or not hasattr(self, "history_")
        if is_new and not any(overrides(self.model_, m) for m in _OWN_PREDICTIONS):
            check_network(self.model_, self.target_encoder_, X)
        task = self._training_task(NestedRows(X, y, weight), arguments | kwargs)
        history = train_model(task).history
        check_trained(self.model_)
        if is_new or task.first_epoch == 0:
            self.history_: dict[str, list[float]] = {}
        for name, values in history.items():
            self.history_.setdefault(_history_name(name), []).extend(values)

    def _training_task(self, rows: NestedRows, arguments: dict[str, Any]) -> ModelTask:
        """Return how to train by `arguments`; those not known here go to Keras."""
        callbacks = self._fit_callbacks + _as_list(arguments.pop("callbacks", None))
        first_epoch = arguments.pop("initial_epoch")
        last_epoch = first_epoch + arguments.pop("epochs")
        rows, validation = self._split(rows, arguments)
        batch_size = _batch_size("batch_size", arguments, rows.X) or 32
        in_validation = _batch_size("validation_batch_size", arguments, rows.X)
        passed = [name for name in ("shuffle", "verbose") if name in arguments]
        settings = {name: arguments.pop(name) for name in passed}
        other = {name: value for name, value in arguments.items() if value is not None}
        if other.get("validation_freq") == 1:
            del other["validation_freq"]
        if not overrides(self.model_, "fit"):
            accepted = inspect.signature(type(self.model_).fit).parameters
            routing.refuse_unknown("fit", other, accepted)
        return ModelTask(
            self.model_,
            rows,
            validation,
            seed=self._random_state,
            epochs=last_epoch,
            first_epoch=first_epoch,
            batch_size=batch_size,
            validation_batch_size=in_validation or batch_size,
            callbacks=callbacks,
            other=other,
            **settings,
        )

    def _split(
        self, rows: NestedRows, arguments: dict[str, Any]
    ) -> tuple[NestedRows, NestedRows | None]:
        """Return training and validation rows, as the arguments of ``fit`` ask for."""
        given = arguments.pop("validation_data", None)
        share = arguments.pop("validation_split", 0.0)
        if isinstance(given, tuple | list) and len(given) in (2, 3):
            return rows, self._encode_validation(*given)
        if given is not None:
            arguments["validation_data"] = given  # a stream of batches
        if not share or given is not None:
            return rows, None
        n = len(rows)
        kept = int(np.floor(n * (1 - share)))
        if not 0 < kept < n:
            raise ValueError(
                "`validation_split` must leave rows to train on and to validate on. "
                f"Got {share} for {n} rows."
            )
        return rows.take(slice(0, kept)), rows.take(slice(kept, n))

    def _encode_validation(self, X: Any, y: Any, weight: Any = None) -> NestedRows:
        X, _ = self._validate_data(X)
        if np.ndim(y) == self.y_ndim_:
            y = self.target_encoder_.transform(self._validate_targets(y, reset=False))
        # otherwise y are targets of the network, as scikeras documents
        return NestedRows(self.feature_encoder_.transform(X), y, weight)

    def _predict_raw(self, X: Any, **kwargs: Any) -> Any:
        """Return the outputs of the network, logits as probabilities."""
        keras_backend.load()
        check_is_fitted(self)
        X, _ = self._validate_data(X)
        X = self.feature_encoder_.transform(X)
        names, params = self._predict_kwargs, self.get_params()
        arguments = routing.method_arguments("predict", params, names) | kwargs
        known = ["batch_size", "verbose", "steps", "callbacks"]
        routing.refuse_unknown("predict", arguments, known)
        size = arguments.get("batch_size")
        if size == -1 and not hasattr(X, "shape"):
            raise ValueError(
                "`batch_size=-1` requires that `X` implement `shape`. Give a number, "
                "as the feature_encoder makes something else."
            )
        size = X.shape[0] if size == -1 else size
        if arguments.get("steps") is not None:
            X = take(X, slice(0, arguments["steps"] * (size or 32)))
        callbacks = self._predict_callbacks + _as_list(arguments.get("callbacks"))
        outputs = predict(self.model_, X, size, callbacks)
        return as_probabilities(self.model_, self.target_encoder_, outputs)


def _nothing() -> None:
    """Replace the builder where a model is given."""


def _key(builder: Callable[..., Any]) -> Hashable:
    """Return the key of a builder: its code, so that equal functions share it."""
    while isinstance(builder, functools.partial):
        builder = builder.func
    return getattr(builder, "__code__", None) or id(builder)


def _is_text(X: Any) -> bool:
    """Return whether X holds strings, which may represent numbers."""
    dtype = getattr(np.asarray(X) if isinstance(X, list) else X, "dtype", None)
    return isinstance(dtype, np.dtype) and dtype.kind in "US"


def _as_list(callbacks: Any) -> list[Any]:
    if callbacks is None:
        return []
    return list(callbacks) if isinstance(callbacks, list | tuple) else [callbacks]


def _batch_size(name: str, arguments: dict[str, Any], X: Any) -> int | None:
    """Take a batch size from the arguments: -1 is all rows, None Keras's own."""
    size: int | None = arguments.pop(name, None)
    if size == -1 and not hasattr(X, "shape"):
        raise ValueError(
            f"`{name}=-1` requires that `X` implement `shape`, as all rows are one "
            f"batch then. Give a number, as the feature_encoder makes something else."
        )
    return X.shape[0] if size == -1 else size


def _history_name(name: str) -> str:
    """Return the full name of a metric, as scikeras keeps it."""
    if name == "loss" or name.startswith("val_"):
        return name
    try:
        return str(_metric_name(name))
    except ValueError:  # a metric of the user's
        return name
