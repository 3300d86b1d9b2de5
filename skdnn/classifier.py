"""The classifier `DNNClassifier`: its parameters, and training."""

import os
import warnings
from collections.abc import Callable, Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.metaestimators import available_if

from skdnn._estimator.finalize import finalize
from skdnn._estimator.fitted_network import FittedNetwork
from skdnn._estimator.parameters import CONSTRAINTS, is_stochastic
from skdnn._estimator.prediction import Prediction
from skdnn._estimator.prepare import PreparedFit, prepare
from skdnn._estimator.state import kept_state, restored_attributes
from skdnn._estimator.streamed_fit import opened, prepare_streamed
from skdnn._estimator.uncertainty import Uncertainty
from skdnn._tabular.columns import as_table
from skdnn._tabular.validation import unchanged_on_error
from skdnn.exceptions import ColumnWarning


class DNNClassifier(
    ClassifierMixin,  # type: ignore[misc]  # scikit-learn has no types
    Prediction,
    Uncertainty,
    FittedNetwork,
    BaseEstimator,  # type: ignore[misc]
):
    """A deep neural network classifier for tables.

    Tables may hold strings, categories and missing values. By default it trains the
    *recipe*, an ensemble with defaults tuned on many tables (see Notes); with
    `hidden_layer_sizes`, the *plain* network of
    :class:`~sklearn.neural_network.MLPClassifier`, whose parameters it has, in the
    same order and with the same meaning: with the same ``random_state`` they give the
    same network up to rounding. Only ``early_stopping`` differs: it monitors the loss.

    Parameters
    ----------
    hidden_layer_sizes : array-like of int, int or None, default=None
        Units of each hidden layer of a plain network; ``()`` is softmax regression.
        None is the recipe; where it does not apply, MLPClassifier's layer of 100 units.
    activation : str, callable or None, default=None
        Activation of the hidden layers: any name in ``keras.activations`` that needs
        no further argument, MLPClassifier's ``"identity"`` and ``"logistic"``, or a
        function of a Keras tensor. None is "selu" in the recipe, "relu" in a plain one.
    solver : str or keras.optimizers.Optimizer, default="adam"
        Name of a Keras optimizer in lower case, or an optimizer, which is copied and
        keeps its own learning rate. ``"lbfgs"`` is SciPy's, over all rows at once,
        without dropout, batch norm, weight decay, callbacks and validation rows.
    alpha : float or None, default=None
        Strength of the elastic-net penalty, divided by the rows of the batch as in
        MLPClassifier. None is 0 in the recipe, 0.0001 in a plain network.
    batch_size : int or "auto", default="auto"
        Rows per step; "auto" is about 1/32 of the rows in the recipe, from 16 to 256,
        and ``min(200, n_samples)`` in a plain network.
    learning_rate : str, LearningRateSchedule or None, default=None
        "constant", "invscaling" or "adaptive" as in MLPClassifier, the latter two for
        ``solver="sgd"``; or a schedule of ``keras.optimizers.schedules``.
        None is four cosine cycles in the recipe, "constant" in a plain network.
    learning_rate_init : float or None, default=None
        Initial learning rate, for solvers given by name; in the recipe the highest
        one. None is 0.015 to 0.04 in the recipe, 0.001 in a plain network.
    power_t : float, default=0.5
        Exponent of "invscaling".
    max_iter : int or None, default=None
        Maximum number of epochs. None is 8 to 64 in the recipe, 200 in a plain network.
    shuffle : bool, default=True
        Whether rows are shuffled before each epoch.
    random_state : int, RandomState or None, default=None
        Determines initial weights, validation rows, the order of rows and dropout.
        The same int gives bit-identical results. Unless it is None, no global
        generator is used; none is ever seeded.
    tol : float, default=1e-4
        An epoch must lower the best loss by this much to count as an improvement.
    verbose : bool, default=False
        Whether a progress line is shown on stderr.
    warm_start : bool, default=False
        Whether `fit` resumes from the weights of the previous fit; for plain networks.
    momentum : float, default=0.9
        Momentum of ``solver="sgd"``.
    nesterovs_momentum : bool, default=True
        Whether ``solver="sgd"`` uses Nesterov's momentum.
    early_stopping : bool, default=False
        Whether training ends when the validation loss stops falling; the weights of
        the best epoch are kept.
    validation_fraction : float or None, default=None
        Share of the rows held out for validation, stratified by class; without
        `early_stopping` only to record ``val_loss`` and ``val_accuracy``. None is 0.1
        with `early_stopping`, else no rows.
    beta_1, beta_2, epsilon : float, default=0.9, None, 1e-8
        Of Adam and variants. `beta_2` None is 0.95 in the recipe, 0.999 in a plain one.
    n_iter_no_change : int or inf, default=10
        Epochs without improvement before the training of a plain network ends.
    max_fun : int, default=15000
        Maximum number of evaluations of the loss, for ``solver="lbfgs"``.
    class_weight : dict, "balanced" or None, default=None
        Factor of each class in the loss; "balanced" gives all classes the same weight.
    calibration : {"temperature"} or None, default=None
        "temperature" multiplies the logits by the factor, from 0.22 to 4.5, that
        minimises the loss on the validation rows (Guo et al., 2017): only confidence
        changes, not the order of the classes. None leaves a plain network
        uncalibrated; the recipe is always calibrated on the rows it leaves out.
    categorical_features : "from_dtype", array-like of str, int or bool, or None, \
            default="from_dtype"
        "from_dtype" is the columns of a data frame that hold categories or strings;
        else names, positions, or one boolean per column; None is no column. Categories
        that are not in the training rows count as missing.
    l1_ratio : float, default=0.0
        Share of L1 in the penalty `alpha`; the rest is L2.
    n_estimators : int, default=1
        Number of networks. They differ in their seeds, and the mean of their
        probabilities is predicted (deep ensemble, Lakshminarayanan et al., 2017).
    bootstrap : bool, default=False
        Whether each network is trained on its own sample, drawn with replacement, of
        the rows that are not held out for validation.
    oob_score : bool, default=False
        Whether every row is predicted by the networks not trained on it, for an
        unbiased score. Needs `bootstrap`.
    dropout : float or array-like of float, default=0.0
        Share of units dropped in training, one for all hidden layers or one per layer;
        the recipe has two.
    batch_norm : bool, default=False
        Whether hidden layers are normalised over the batch before their activation.
    weight_decay : float or None, default=None
        Decoupled decay of the kernels, multiplied by the learning rate (Loshchilov and
        Hutter, 2019). None is ``min(0.1, 100 / n_samples)`` in the recipe, 1 below
        100 rows; 0 in a plain network, and Keras's 0.004 for ``solver="adamw"``.
    label_smoothing : float or None, default=None
        Share of each target spread evenly over all classes, in training only. None
        is 0.1, which falls with the rate, in the recipe, 0 in a plain network.
    callbacks : list of keras.callbacks.Callback, callback or None, default=None
        Copied before use. Those with batch methods need the slower ``keras.Model.fit``.
    checkpoint : str, path-like or None, default=None
        A file that keeps the state of training, about every ten seconds. A fit that
        was killed and is started again with the same table, parameters and versions
        continues from it, and ends with the same bits; one that has ended returns at
        once. Needs an int as `random_state`, and no callbacks. A search has a
        `checkpoint` of its own.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes, sorted.
    n_features_in_ : int
        Number of columns of X in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns; defined only if X had names that are all strings.
    history_ : DataFrame
        One row per epoch: loss, accuracy, val_loss, val_accuracy, learning_rate,
        seconds. Losses in nats; val_* are NaN without validation rows. Of the recipe:
        means over its networks; val_* are of networks trained for as many epochs
        without the rows that they are scored on.
    n_iter_ : int
        Number of epochs of the last call of `fit`. `history_` has all, also those
        before it with `warm_start` and `partial_fit`.
    loss_ : float
        Loss of the last epoch: mean cross-entropy in training, plus penalties.
    loss_curve_ : list of float
        That loss for each epoch.
    best_loss_ : float or None
        Its minimum; None with `early_stopping`.
    validation_scores_ : list of float or None
        Accuracy on the validation rows, for each epoch; None without such rows.
    best_validation_score_ : float or None
        Its maximum.
    baseline_loss_ : float
        Cross-entropy of predicting the class shares of the training rows.
    estimators_ : list of DNNClassifier
        The networks of an ensemble, each with its own `history_`; `history_` is their
        mean, over those trained that long.
    oob_score_ : float
        Accuracy of `oob_decision_function_`.
    oob_decision_function_ : ndarray of shape (n_samples, n_classes)
        Out-of-bag probabilities; NaN for a row that every network was trained on.
    t_ : int
        Number of training rows processed, over all epochs.
    n_layers_ : int
        Layers, input and output included.
    n_outputs_ : int
        Units of the last layer: 1 for two classes.
    out_activation_ : {"softmax", "logistic"}
        Of the last layer.

    Notes
    -----
    The recipe is eight networks of two narrow layers whose probabilities are averaged
    [3]_. Numeric columns are scaled by their quartiles and complemented by piecewise
    linear encodings [4]_; factors of the columns, initial weights, schedules of
    learning rate, smoothing and decay follow [5]_. Each network leaves a quarter of
    the rows out. On these rows the best epoch and the temperature [6]_ are determined,
    and training ends after a cycle of the learning rate that made their loss clearly
    larger: by two standard errors of the difference over rows. The last epochs before
    the best one are then repeated on all rows, from where the learning rate was
    highest. From 10 000 rows on each network leaves about 1 000 rows out instead, and
    is kept as it was after the best epoch. So it is with validation rows, which take
    the place of the rows left out. Below 100 rows all epochs are trained.

    A plain network is trained instead with `callbacks`, `batch_norm`, `warm_start`,
    `partial_fit`, several labels per row, sparse X, an `activation` that is a
    function, a `learning_rate` that is not constant, an optimizer object, L-BFGS and
    other solvers whose step is not elementwise.

    See Also
    --------
    sklearn.neural_network.MLPClassifier : The same plain network, in NumPy.
    skdnn.explain : What a fitted classifier has learned.

    References
    ----------
    .. [1] Glorot and Bengio (2010), Understanding the difficulty of training deep
       feedforward neural networks.
    .. [2] Kingma and Ba (2015), Adam: a method for stochastic optimization.
    .. [3] Lakshminarayanan, Pritzel and Blundell (2017), Simple and scalable
       predictive uncertainty estimation using deep ensembles.
    .. [4] Gorishniy, Rubachev and Babenko (2022), On embeddings for numerical features
       in tabular deep learning, arXiv:2203.05556.
    .. [5] Holzmüller, Grinsztajn and Steinwart (2024), Better by default: strong
       pre-tuned MLPs and boosted trees on tabular data, arXiv:2407.04491.
    .. [6] Guo, Pleiss, Sun and Weinberger (2017), On calibration of modern neural
       networks.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import MinMaxScaler
    >>> from skdnn import DNNClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> network = DNNClassifier((20, 20), learning_rate_init=0.01, random_state=0)
    >>> pipe = make_pipeline(MinMaxScaler(), network).fit(X, y)
    >>> pipe.score(X, y) > 0.95
    True

    The recipe, on a table with strings and missing values:

    >>> import pandas as pd
    >>> table = pd.DataFrame(
    ...     {"colour": ["red", "blue", None, "red"] * 20, "size": [1, None, 2, 3] * 20}
    ... )
    >>> fruit = ["cherry", "plum", "plum", "cherry"] * 20
    >>> DNNClassifier(random_state=0).fit(table, fruit).predict(table[:3])
    array(['cherry', 'plum', 'plum'], dtype='<U6')
    """

    _parameter_constraints = CONSTRAINTS

    def __init__(
        self,
        hidden_layer_sizes: ArrayLike | int | None = None,
        activation: str | Callable[..., Any] | None = None,
        *,
        solver: Any = "adam",
        alpha: float | None = None,
        batch_size: int | str = "auto",
        learning_rate: Any = None,
        learning_rate_init: float | None = None,
        power_t: float = 0.5,
        max_iter: int | None = None,
        shuffle: bool = True,
        random_state: int | np.random.RandomState | None = None,
        tol: float = 1e-4,
        verbose: bool = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float | None = None,
        beta_1: float = 0.9,
        beta_2: float | None = None,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        class_weight: Mapping[Any, float] | str | None = None,
        calibration: str | None = None,
        categorical_features: ArrayLike | str | None = "from_dtype",
        l1_ratio: float = 0.0,
        n_estimators: int = 1,
        bootstrap: bool = False,
        oob_score: bool = False,
        dropout: ArrayLike | float = 0.0,
        batch_norm: bool = False,
        weight_decay: float | None = None,
        label_smoothing: float | None = None,
        callbacks: Any = None,
        checkpoint: str | os.PathLike[str] | None = None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.class_weight = class_weight
        self.calibration = calibration
        self.categorical_features = categorical_features
        self.l1_ratio = l1_ratio
        self.n_estimators = n_estimators
        self.bootstrap = bootstrap
        self.oob_score = oob_score
        self.dropout = dropout
        self.batch_norm = batch_norm
        self.weight_decay = weight_decay
        self.label_smoothing = label_smoothing
        self.callbacks = callbacks
        self.checkpoint = checkpoint

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: ArrayLike | None = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
    ) -> Self:
        """Train the network.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Numbers and booleans, NaN where values are missing, never infinity; in a
            frame (pandas, or any that narwhals supports) also strings and categories.
            float32 is kept as float32, anything else becomes float64. Or a container
            that is read block by block if it is large: a `pyarrow.dataset.Dataset`, a
            polars LazyFrame, a Dask DataFrame, a `numpy.memmap` (see the guide).
        y : array-like of shape (n_samples,) or (n_samples, n_labels), or str
            Classes: strings, booleans or integers. Or zeros and ones, one column per
            label, where a row may have several labels or none. Or the name of a column
            of a container.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row in the loss, not negative.
        X_val : like X, of shape (n_val, n_features), default=None
            Rows to validate on, in place of a share of X.
        y_val : array-like of shape (n_val,), default=None
            Their classes.

        Returns
        -------
        self : DNNClassifier

        Raises
        ------
        ValueError
            Before training, for invalid parameters or data, or a checkpoint of another
            fit; in training, if loss, weights or outputs are no longer finite. The
            estimator is then unchanged.
        OSError
            Before training, if the checkpoint could not be written, or the disk has no
            space for the rows of a container.
        KeyboardInterrupt
            If the user interrupts. After the first epoch one plain network is kept, as
            by early stopping; with the recipe, ensembles and L-BFGS, and before, the
            estimator is unchanged.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from skdnn import DNNClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> network = DNNClassifier(random_state=0).fit(X[::2], y[::2])
        >>> network.fit(X[::2], y[::2], X_val=X[1::2], y_val=y[1::2]).n_features_in_
        4
        """
        return self._fit(X, y, sample_weight, X_val, y_val)

    @available_if(is_stochastic)  # type: ignore[untyped-decorator]
    def partial_fit(
        self,
        X: Any,
        y: Any,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Train for one epoch, resuming from the previous call.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            As in `fit`. Categories and medians are those of the first call.
        y : array-like of shape (n_samples,)
            Classes.
        classes : array-like of shape (n_classes,), default=None
            All classes; required in the first call only.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row in the loss, not negative.

        Returns
        -------
        self : DNNClassifier

        Raises
        ------
        ValueError
            For invalid parameters or data; the estimator is then unchanged.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from skdnn import DNNClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> network = DNNClassifier(20, random_state=0)
        >>> for start in range(3):
        ...     rows = slice(start, None, 3)
        ...     network = network.partial_fit(X[rows], y[rows], classes=[0, 1, 2])
        >>> len(network.loss_curve_)
        3
        """
        return self._fit(X, y, sample_weight, classes=classes, incremental=True)

    def _fit(self, *data: Any, **options: Any) -> Self:
        with unchanged_on_error(self):
            prepared = self._prepare(*data, **options)
            networks = prepared.train()
            for warning in finalize(self, prepared, networks):
                warnings.warn(warning, stacklevel=3)
        if any(network.interrupted for network in networks):
            raise KeyboardInterrupt  # after what was trained is kept
        return self

    def _prepare(
        self, X: Any, y: Any, weight: Any = None, *data: Any, **options: Any
    ) -> PreparedFit:
        table = opened(X, y, weight)
        prepared: PreparedFit
        if isinstance(table, tuple):
            X = as_table(table[0])  # once, and not kept while training
            prepared = prepare(self, X, table[1], weight, *data, **options)
        else:
            prepared = prepare_streamed(self, table, *data, **options)
        for text in prepared.column_problems(X):
            warnings.warn(text, ColumnWarning, stacklevel=4)
        return prepared

    def __getstate__(self) -> dict[str, Any]:
        return kept_state(super().__getstate__())

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(restored_attributes(type(self), state))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = True
        tags.classifier_tags.multi_label = True
        return tags
