"""`KerasClassifier`: any Keras network as a scikit-learn classifier."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from skdnn._keras_wrapper.wrapper import Wrapper
from skdnn._runtime.version import with_versions, without_versions
from skdnn._tabular.validation import unchanged_on_error


class KerasClassifier(Wrapper):
    """A Keras network of your own as a scikit-learn classifier.

    scikeras's class of that name with its faults fixed: the same constructor, builder
    functions and routed parameters. Networks with one input and one output train by
    compiled epochs, and all predict through one compiled function; compiled functions
    are reused for networks of the same settings.

    Parameters
    ----------
    model : callable or keras.Model, default=None
        Returns a network, compiled or not, when it is called with the parameters that
        it names: those given as ``model__units=64`` or ``units=64``, and, if it names
        them, `meta` (attributes set by `fit`, as ``meta["n_features_in_"]``,
        ``meta["X_shape_"]``, ``meta["n_classes_"]``), `compile_kwargs` and `params`.
        A model is copied before it is trained. None: a subclass has `_keras_build_fn`.
    build_fn : callable or keras.Model, default=None
        Old name of `model`.
    warm_start : bool, default=False
        Whether `fit` continues from the last weights.
    random_state : int, RandomState or None, default=None
        Seed of initial weights, dropout and order of rows. Global seeds are restored.
    optimizer : str, class or keras.optimizers.Optimizer, default="rmsprop"
        For networks that are not compiled, as are `loss` and `metrics`. A name or a
        class takes ``optimizer__learning_rate=0.001``; an instance is copied.
    loss : str, class, callable or keras.losses.Loss, default=None
        A name or a class takes ``loss__label_smoothing=0.1``. Networks whose loss has
        ``from_logits=True`` predict probabilities as well.
    metrics : list, default=None
        Names, classes or instances, for ``history_``.
    batch_size : int, default=None
        Rows per step; None is 32, -1 all rows.
    validation_batch_size : int, default=None
        Rows per step in validation; None is `batch_size`.
    verbose : int, default=1
        What Keras prints in training: 0 nothing, 1 a bar, 2 a line per epoch.
    callbacks : list, dict or keras.callbacks.Callback, default=None
        Classes or instances; instances are used without a copy. With one that needs
        every batch, ``Model.fit`` trains.
    validation_split : float, default=0.0
        Share of the rows, the last ones, that is set aside to validate on.
    shuffle : bool, default=True
        Whether rows are shuffled before each epoch.
    run_eagerly : bool, default=False
        Whether Keras trains without compiling, for debugging.
    epochs : int, default=1
        Passes over the rows.
    class_weight : dict or "balanced", default=None
        Factor of each class in the weights of rows.
    **kwargs
        Parameters of the function, and any ``model__…``, ``optimizer__…``, ``loss__…``,
        ``metrics__…``, ``callbacks__…``, ``compile__…``, ``fit__…``, ``predict__…``,
        ``score__…``.

    Attributes
    ----------
    model_ : keras.Model
        The network, trained.
    history_ : dict of lists
        Loss and metrics, one entry per epoch.
    classes_ : ndarray of shape (n_classes,)
        The classes, in the order of the columns of `predict_proba`.
    n_features_in_ : int
        Size of the second dimension of X.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names of X, where X had names that are strings.
    X_shape_ : tuple
        Shape of X in `fit`.
    target_type_ : str
        The result of scikit-learn's `type_of_target` for y.
    target_encoder_, feature_encoder_ : transformer
        Fitted; a subclass may have its own as properties `target_encoder` and
        `feature_encoder`, which may make several inputs and outputs.

    Raises
    ------
    TypeError
        In `fit`, for a parameter that is not used.

    See Also
    --------
    DNNClassifier : For tables: needs no network code, and trains faster still.

    Notes
    -----
    `predict_proba` returns the outputs of the network: its last layer must be a
    softmax, or a sigmoid for two classes or several labels per row. Outputs of half
    precision, as under the dtype policy "mixed_float16", are returned as float32.

    Pickle and joblib keep a fitted classifier if the function that builds the network
    can be imported where it is read; `skdnn.io.dump` refuses it, as a Keras model is
    not data alone. ``model_.save("network.keras")`` keeps the network.

    Examples
    --------
    >>> import keras
    >>> from sklearn.datasets import load_iris
    >>> from skdnn import KerasClassifier
    >>> def build(meta, units=8):
    ...     return keras.Sequential([
    ...         keras.Input((meta["n_features_in_"],)),
    ...         keras.layers.Dense(units, activation="relu"),
    ...         keras.layers.Dense(meta["n_classes_"], activation="softmax"),
    ...     ])
    >>> X, y = load_iris(return_X_y=True)
    >>> network = KerasClassifier(
    ...     build, loss="sparse_categorical_crossentropy", optimizer="adam",
    ...     optimizer__learning_rate=0.05, epochs=30, random_state=0, verbose=0,
    ...     model__units=16,
    ... )
    >>> bool(network.fit(X, y).score(X, y) > 0.9)
    True
    """

    def initialize(self, X: Any, y: ArrayLike) -> Self:
        """Build the network without training it, as for a trained network.

        Parameters
        ----------
        X, y
            As in `fit`.

        Returns
        -------
        self

        Examples
        --------
        >>> import keras
        >>> from sklearn.datasets import load_iris
        >>> from skdnn import KerasClassifier
        >>> def build():
        ...     softmax = keras.layers.Dense(3, activation="softmax")
        ...     return keras.Sequential([keras.Input((4,)), softmax])
        >>> X, y = load_iris(return_X_y=True)
        >>> network = KerasClassifier(
        ...     build, loss="sparse_categorical_crossentropy", random_state=0, verbose=0
        ... )
        >>> network.initialize(X, y).predict_proba(X).shape
        (150, 3)
        >>> network.current_epoch  # not trained
        0
        """
        with unchanged_on_error(self):
            self.classes_ = None
            self._initialize(X, y)
        return self

    def fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        **kwargs: Any,
    ) -> Self:
        """Build a network and train it.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features, ...)
            Rows: a table, or images, or sequences. A sparse matrix is converted to
            dense rows, a few batches at a time.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Their classes; or zeros and ones, one column per label.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row, not changed. Rows of weight 0 are left out.
        **kwargs
            Arguments of ``Model.fit``, for this call. Rows of ``validation_data`` are
            like X and y.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If X or y is invalid, y has one class, there is no loss, or the last layer
            or the loss does not fit the classes; after training, if weights are not
            finite.
        KeyboardInterrupt
            If the user interrupts; the estimator is then unchanged.
        TypeError
            For an argument or a parameter that is not used.
        skdnn.exceptions.ForkError
            In a process that was forked after Keras was used.

        Examples
        --------
        >>> import keras
        >>> from sklearn.datasets import load_iris
        >>> from skdnn import KerasClassifier
        >>> def build():
        ...     softmax = keras.layers.Dense(3, activation="softmax")
        ...     return keras.Sequential([keras.Input((4,)), softmax])
        >>> X, y = load_iris(return_X_y=True)
        >>> network = KerasClassifier(
        ...     build, loss="sparse_categorical_crossentropy", random_state=0, verbose=0
        ... )
        >>> len(network.fit(X, y, epochs=3).history_["loss"])
        3
        """
        epochs = getattr(self, "fit__epochs", self.epochs)
        with unchanged_on_error(self):
            if not (self.warm_start and self.initialized_):
                self.classes_ = None
            kwargs = {"epochs": epochs, "initial_epoch": 0} | kwargs
            self._fit(X, y, sample_weight, self.warm_start, **kwargs)
        return self

    def partial_fit(
        self,
        X: Any,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        **kwargs: Any,
    ) -> Self:
        """Train for one more epoch.

        Parameters
        ----------
        X, y
            As in `fit`.
        classes : array-like of shape (n_classes,), default=None
            All classes, in the first call. None: those of its y.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.
        **kwargs
            As in `fit`, without `epochs` and `initial_epoch`.

        Returns
        -------
        self

        Raises
        ------
        TypeError
            If `epochs` or `initial_epoch` is given.
        ValueError
            As in `fit`; or if `classes` differ from those of the first call.

        Examples
        --------
        >>> import keras
        >>> from sklearn.datasets import load_iris
        >>> from skdnn import KerasClassifier
        >>> def build():
        ...     softmax = keras.layers.Dense(3, activation="softmax")
        ...     return keras.Sequential([keras.Input((4,)), softmax])
        >>> X, y = load_iris(return_X_y=True)
        >>> network = KerasClassifier(
        ...     build, loss="sparse_categorical_crossentropy", random_state=0, verbose=0
        ... )
        >>> for start in range(3):
        ...     rows = slice(start, None, 3)
        ...     network = network.partial_fit(X[rows], y[rows], classes=[0, 1, 2])
        >>> network.current_epoch
        3
        """
        for name in ("epochs", "initial_epoch"):
            if name in kwargs:
                raise TypeError(
                    f"Invalid argument `{name}` to `partial_fit`, which always trains "
                    f"for one more epoch. Got {kwargs[name]!r}; use fit."
                )
        with unchanged_on_error(self):
            self._take_classes(classes)
            kwargs |= {"epochs": 1, "initial_epoch": self.current_epoch}
            self._fit(X, y, sample_weight, warm_start=True, **kwargs)
        return self

    def predict_proba(self, X: Any, **kwargs: Any) -> np.ndarray:
        """Return the probability of each class.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features, ...)
            Rows, of any numeric dtype.
        **kwargs
            ``batch_size``, ``steps`` and ``callbacks`` of ``Model.predict``.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        ValueError
            If the columns or the shape of X differ from those in `fit`.

        Examples
        --------
        >>> import keras
        >>> from sklearn.datasets import load_iris
        >>> from skdnn import KerasClassifier
        >>> def build():
        ...     softmax = keras.layers.Dense(3, activation="softmax")
        ...     return keras.Sequential([keras.Input((4,)), softmax])
        >>> X, y = load_iris(return_X_y=True)
        >>> network = KerasClassifier(
        ...     build, loss="sparse_categorical_crossentropy", optimizer="adam",
        ...     optimizer__learning_rate=0.05, epochs=30, random_state=0, verbose=0,
        ... ).fit(X, y)
        >>> proba = network.predict_proba(X[:2])
        >>> proba.shape, bool((abs(proba.sum(axis=1) - 1) < 1e-6).all())
        ((2, 3), True)
        """
        out = self._predict_raw(X, **kwargs)
        proba: Any = self.target_encoder_.inverse_transform(out, return_proba=True)
        if isinstance(proba, np.ndarray) and proba.ndim < 2 and len(out) == 1:
            proba = proba.reshape(1, -1)  # scikeras's own encoder drops the dimension
        return proba

    def predict(self, X: Any, **kwargs: Any) -> np.ndarray:
        """Return the class of each row.

        Parameters
        ----------
        X, **kwargs
            As in `predict_proba`.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)

        Examples
        --------
        >>> import keras
        >>> from sklearn.datasets import load_iris
        >>> from skdnn import KerasClassifier
        >>> def build():
        ...     softmax = keras.layers.Dense(3, activation="softmax")
        ...     return keras.Sequential([keras.Input((4,)), softmax])
        >>> X, y = load_iris(return_X_y=True)
        >>> network = KerasClassifier(
        ...     build, loss="sparse_categorical_crossentropy", optimizer="adam",
        ...     optimizer__learning_rate=0.05, epochs=30, random_state=0, verbose=0,
        ... ).fit(X, y)
        >>> network.predict(X[::50])
        array([0, 1, 2])
        """
        labels: np.ndarray = super().predict(X, **kwargs)
        return labels

    def score(
        self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> float:
        """Return the accuracy, or the score of a subclass's `scorer`.

        Parameters
        ----------
        X, y
            As in `fit`.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row.

        Returns
        -------
        float

        Examples
        --------
        >>> import keras
        >>> from sklearn.datasets import load_iris
        >>> from skdnn import KerasClassifier
        >>> def build():
        ...     softmax = keras.layers.Dense(3, activation="softmax")
        ...     return keras.Sequential([keras.Input((4,)), softmax])
        >>> X, y = load_iris(return_X_y=True)
        >>> network = KerasClassifier(
        ...     build, loss="sparse_categorical_crossentropy", optimizer="adam",
        ...     optimizer__learning_rate=0.05, epochs=30, random_state=0, verbose=0,
        ... ).fit(X, y)
        >>> network.score(X, y) > 0.9
        True
        """
        arguments = {
            name.removeprefix("score__"): value
            for name, value in self.get_params(deep=False).items()
            if name.startswith("score__")
        }
        score: float = self.scorer(
            np.asarray(y), self.predict(X), sample_weight=sample_weight, **arguments
        )
        return score

    def __getstate__(self) -> dict[str, Any]:
        return with_versions(super().__getstate__())

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(without_versions(state, type(self).__name__))
