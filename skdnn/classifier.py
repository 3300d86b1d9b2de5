"""The classifier: parameters, and the order in which a fit happens."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skdnn._estimator import ensemble as _ensemble
from skdnn._estimator import parameters as _parameters
from skdnn._estimator import prepare
from skdnn._estimator.fitted_network import FittedNetwork
from skdnn._network import prediction
from skdnn._runtime.progress import Progress
from skdnn._tabular import validation as _data


class DNNClassifier(ClassifierMixin, FittedNetwork, BaseEstimator):
    """A deep neural network for classes.

    It takes tables as they are, words, categories and missing cells included, and
    trains the best network we know for them: the *recipe*, see Notes. With layers
    that are given, it is the *plain* network of
    :class:`~sklearn.neural_network.MLPClassifier`, whose parameters it has, in the
    same order and with the same meaning. Given the same ``random_state``, parameters
    that both have give the same network, but for rounding, and but for
    ``early_stopping``, which here watches the loss.

    Parameters
    ----------
    hidden_layer_sizes : array-like of int, int or None, default=None
        Units of each hidden layer of a plain network; ``()`` is softmax regression.
        None is the recipe, or MLPClassifier's one layer of 100 where that cannot
        serve.
    activation : str, callable or None, default=None
        Of the hidden layers: any name in ``keras.activations`` that needs no further
        argument, MLPClassifier's ``"identity"`` and ``"logistic"``, or a function of
        a Keras tensor. None is "selu" in the recipe, "relu" in a plain network.
    solver : str or keras.optimizers.Optimizer, default="adam"
        Name of a Keras optimizer in lower case, or one made by you, which is copied
        and keeps its own learning rate. ``"lbfgs"`` is SciPy's, over all rows at once,
        without dropout, batch norm, weight decay, callbacks and validation rows.
    alpha : float or None, default=None
        Strength of the elastic-net penalty, divided by the rows of the batch as in
        MLPClassifier. None is 0 in the recipe, 0.0001 in a plain network.
    batch_size : int or "auto", default="auto"
        Rows a step; "auto" is about a 32nd of the rows in the recipe, from 16 to 256,
        and ``min(200, n_samples)`` in a plain network.
    learning_rate : str, LearningRateSchedule or None, default=None
        "constant", "invscaling" or "adaptive" as in MLPClassifier, the latter two for
        ``solver="sgd"``; or a ``keras.optimizers.schedules.LearningRateSchedule``.
        None is four cosine cycles in the recipe, "constant" in a plain network.
    learning_rate_init : float or None, default=None
        The learning rate to begin with, for solvers given by name; the highest of the
        recipe. None is 0.015 to 0.04 in the recipe, 0.001 in a plain network.
    power_t : float, default=0.5
        Exponent of "invscaling".
    max_iter : int or None, default=None
        Epochs at most. None is 8 to 64 in the recipe, 200 in a plain network.
    shuffle : bool, default=True
        Whether rows are shuffled before each epoch.
    random_state : int, RandomState or None, default=None
        Draws starting weights, validation rows, the order of rows and dropout. The
        same int gives the same bits. No global seed is read or set.
    tol : float, default=1e-4
        An epoch must lower the best loss by this much to count as an improvement.
    verbose : bool, default=False
        Whether one live line on stderr shows progress.
    warm_start : bool, default=False
        Whether `fit` goes on from the weights of the last one, a plain network's.
    momentum : float, default=0.9
        Of ``solver="sgd"``.
    nesterovs_momentum : bool, default=True
        Of ``solver="sgd"``.
    early_stopping : bool, default=False
        Whether training ends when the loss of the validation rows stops falling; the
        weights of the best epoch are kept.
    validation_fraction : float or None, default=None
        Share of the rows cut off for validation, stratified by class. None is 0.1
        with `early_stopping`, else no cut; a number always cuts, without
        `early_stopping` to record ``val_loss`` and ``val_accuracy`` only.
    beta_1, beta_2, epsilon : float, default=0.9, None, 1e-8
        Of Adam and its kin. None is 0.95 in the recipe, 0.999 in a plain network.
    n_iter_no_change : int or inf, default=10
        Epochs without improvement before the training of a plain network ends.
    max_fun : int, default=15000
        Evaluations of the loss at most, for ``solver="lbfgs"``.
    class_weight : dict, "balanced" or None, default=None
        Factor of each class in the loss; "balanced" lets every class weigh the same.
    calibration : {"temperature"} or None, default=None
        "temperature" multiplies the logits by the factor that makes the loss of the
        validation rows least (Guo et al., 2017): no class becomes likelier than
        another by it, but probabilities become as sure as they ought to be. The
        factor lies between 0.22 and 4.5. None leaves a plain network as it is; the
        recipe always calibrates by the rows it leaves out.
    categorical_features : "from_dtype", array-like of str, int or bool, or None, \
            default="from_dtype"
        Which columns are categories. "from_dtype" is those of a data frame that hold
        categories or words; else names, positions, or a truth value a column; None is
        no column. Levels unseen in training count as missing.
    l1_ratio : float, default=0.0
        Share of L1 in the penalty `alpha`; the rest is L2.
    n_estimators : int, default=1
        Networks to train as one stack. They differ in their seeds, and the mean of
        their probabilities is predicted (deep ensemble, Lakshminarayanan et al.,
        2017).
    bootstrap : bool, default=False
        Whether each network has rows of its own, drawn with replacement from the
        training rows. Validation rows are cut off before.
    oob_score : bool, default=False
        Whether every row is predicted by the networks that have not seen it, for an
        honest score. Needs `bootstrap`.
    dropout : float or array-like of float, default=0.0
        Share of units dropped in training, one for all hidden layers or one each; the
        recipe has two.
    batch_norm : bool, default=False
        Whether hidden layers are normalised over the batch before their activation.
    weight_decay : float or None, default=None
        Decoupled decay of the kernels, times the learning rate (Loshchilov and
        Hutter, 2019). None is ``min(0.1, 100 / n_samples)`` in the recipe, 1 below
        100 rows; 0 in a plain network, and Keras's 0.004 for ``solver="adamw"``.
    label_smoothing : float or None, default=None
        Share of each target spread evenly over all classes, in training only. None
        is 0.1, which falls with the rate, in the recipe, 0 in a plain network.
    callbacks : list of keras.callbacks.Callback, callback or None, default=None
        Copied before use. One that asks for batches makes training slower, as it
        then goes through ``keras.Model.fit``.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes, sorted.
    n_features_in_ : int
        Columns seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, if X had any that are all strings.
    history_ : DataFrame
        A row per epoch: loss, accuracy, val_loss, val_accuracy, learning_rate,
        seconds. Losses in nats; val_* are NaN without validation rows.
    n_iter_ : int
        Epochs run: the length of `history_`.
    loss_ : float
        Loss of the last epoch: mean cross-entropy as it was trained, and penalties.
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
        The networks of an ensemble, each with a `history_` of its own; `history_` is
        their mean, over those that ran so long.
    oob_score_ : float
        Accuracy on the rows as predicted out of bag.
    oob_decision_function_ : ndarray of shape (n_samples, n_classes)
        Those predictions; NaN for a row that every network has seen.
    t_ : int
        Training rows seen, over all epochs.
    n_layers_ : int
        Layers, input and output included.
    n_outputs_ : int
        Units of the last layer: 1 for two classes.
    out_activation_ : {"softmax", "logistic"}
        Of the last layer.

    Notes
    -----
    The recipe is eight networks of two narrow layers whose probabilities are averaged
    [3]_. Numbers are scaled by their quartiles and laid next to piecewise-linear
    functions of them [4]_; factors of the columns, starting weights, schedules of
    rate, smoothing and decay follow [5]_. Each network leaves a quarter of the rows
    out. These tell the best epoch and how sure to be [6]_; then all rows are trained
    on for as long. Validation rows, if there are any, tell both in their place, and
    below 100 rows nothing does.

    A plain network serves instead with `callbacks`, `batch_norm`, `warm_start`,
    `partial_fit`, several labels a row, sparse X, an `activation` that is a function,
    a `learning_rate` that is not constant, an optimizer made by you, L-BFGS and other
    solvers whose step is not elementwise, and on Keras's torch backend.

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

    A table as it is, by the recipe:

    >>> import pandas as pd
    >>> table = pd.DataFrame(
    ...     {"colour": ["red", "blue", None, "red"] * 20, "size": [1, None, 2, 3] * 20}
    ... )
    >>> fruit = ["cherry", "plum", "plum", "cherry"] * 20
    >>> DNNClassifier(random_state=0).fit(table, fruit).predict(table[:3])
    array(['cherry', 'plum', 'plum'], dtype='<U6')
    """

    _parameter_constraints = _parameters.CONSTRAINTS

    def __init__(
        self,
        hidden_layer_sizes=None,
        activation=None,
        *,
        solver="adam",
        alpha=None,
        batch_size="auto",
        learning_rate=None,
        learning_rate_init=None,
        power_t=0.5,
        max_iter=None,
        shuffle=True,
        random_state=None,
        tol=1e-4,
        verbose=False,
        warm_start=False,
        momentum=0.9,
        nesterovs_momentum=True,
        early_stopping=False,
        validation_fraction=None,
        beta_1=0.9,
        beta_2=None,
        epsilon=1e-8,
        n_iter_no_change=10,
        max_fun=15000,
        class_weight=None,
        calibration=None,
        categorical_features="from_dtype",
        l1_ratio=0.0,
        n_estimators=1,
        bootstrap=False,
        oob_score=False,
        dropout=0.0,
        batch_norm=False,
        weight_decay=None,
        label_smoothing=None,
        callbacks=None,
    ):
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

    def fit(self, X, y, sample_weight=None, *, X_val=None, y_val=None):
        """Train the network.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Numbers and truth values, NaN where they are missing, never infinity; in
            a frame (pandas, or any that narwhals knows) words and categories, too.
            float32 is worked on as float32, all else as float64.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Classes: strings, booleans or integers. Or zeros and ones, a column a
            label, where a row may have several labels or none.
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
            Before training, for parameters or data that cannot be; in training, if
            the loss stops being a finite number. The estimator is then as it was.
        """
        with _data.unchanged_on_error(self):
            _parameters.check_parameters(self)
            resume = self.warm_start and self._can_resume()
            rows = _data.take_rows(self, X, y, sample_weight, resume=resume)
            validation = _data.take_validation(self, X_val, y_val)
            return self._train(rows, validation, resume=resume, incremental=False)

    @available_if(_parameters.is_stochastic)
    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Train for one epoch, going on from the last call.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            As in `fit`. Levels and medians are those of the first call.
        y : array-like of shape (n_samples,)
            Classes.
        classes : array-like of shape (n_classes,), default=None
            All classes there are; needed in the first call only.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row in the loss, not negative.

        Returns
        -------
        self : DNNClassifier
        """
        with _data.unchanged_on_error(self):
            _parameters.check_parameters(self)
            _parameters.check_incremental(self)
            resume = self._can_resume()
            _data.check_named_classes(self, classes)
            if classes is None:
                classes = self.classes_
            rows = _data.take_rows(
                self, X, y, sample_weight, resume=resume, classes=classes
            )
            return self._train(rows, None, resume=resume, incremental=True)

    def predict(self, X):
        """Return the most probable class of each row, or its labels.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            The columns of `fit`, in the same order.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_labels)
        """
        proba = self.predict_proba(X)
        if self._spec.is_multilabel:
            return (proba > 0.5).astype(int)
        return self.classes_[proba.argmax(axis=1)]

    def predict_proba(self, X):
        """Return the probability of each class for each row.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            The columns of `fit`, in the same order.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Columns in the order of ``classes_``; rows sum to 1, unless a row may have
            several labels.
        """
        X = self._checked(X)
        if hasattr(self, "estimators_"):
            return _ensemble.mean_probabilities(self.estimators_, X)
        return self._proba(X)

    def predict_log_proba(self, X):
        """Return the logarithm of `predict_proba`, exact for tiny probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            The columns of `fit`, in the same order.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
        """
        X = self._checked(X)
        if hasattr(self, "estimators_"):
            return _ensemble.log_mean_probabilities(self.estimators_, X)
        return self._log_proba(X)

    def predict_members(self, X):
        """Return what each network of an ensemble predicts.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The columns of `fit`, in the same order.

        Returns
        -------
        ndarray of shape (n_estimators, n_samples, n_classes)
            Probabilities; their mean is `predict_proba`.
        """
        X = self._checked(X)
        members = getattr(self, "estimators_", [self])
        return np.stack([member._proba(X) for member in members])

    def _can_resume(self):
        """Return whether there is a plain network: the recipe's schedule has ended."""
        return hasattr(self, "history_") and self._spec.encoding is None

    def _checked(self, X):
        if not hasattr(self, "_spec"):  # the check itself costs as much as a row
            check_is_fitted(self)
        return _data.matrix(self, X)

    def _proba(self, X):
        X = self._table.encode(X)
        return prediction.predict_proba(self._spec, self._weights, X)

    def _log_proba(self, X):
        X = self._table.encode(X)
        logits = prediction.predict_logits(self._spec, self._weights, X)
        return prediction.log_probabilities(self._spec, logits)

    def _train(self, rows, validation, *, resume, incremental):
        how = {"resume": resume, "incremental": incremental}
        with Progress(
            _ensemble.n_epochs(self, rows, incremental), "epoch", bool(self.verbose)
        ) as progress:
            if _ensemble.is_ensemble(self):
                _ensemble.train_members(self, rows, validation, progress, **how)
                return self
            vars(self).pop("estimators_", None)
            fit, fitted = _ensemble.train_one(self, rows, validation, progress, **how)
        prepare.warn(self, fit, fitted, incremental=incremental)
        return self

    def __getstate__(self):
        state = super().__getstate__()
        state.pop("_model", None)  # made anew from the weights when asked for
        return state

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = True
        tags.classifier_tags.multi_label = True
        return tags
