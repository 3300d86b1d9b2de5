"""What a fitted classifier shows of its network: model, weights, plots, summary."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from skdnn._estimator import plots
from skdnn._estimator.summary import TrainingSummary, summarise
from skdnn._network.spec import NetworkSpec
from skdnn._tabular.columns import Columns
from skdnn._tabular.encoder import TableEncoder


class FittedNetwork:
    """The part of `DNNClassifier` that shows the network after `fit`."""

    # set by skdnn._estimator.finalize
    classes_: np.ndarray
    n_features_in_: int
    history_: pd.DataFrame
    baseline_loss_: float
    _spec: NetworkSpec
    _weights: Sequence[np.ndarray]
    _columns: Columns
    _encoder: TableEncoder
    _training_summary: TrainingSummary
    _checked: Callable[[Any], Any]  # of `Uncertainty`

    @property
    def model_(self) -> Any:
        """A `keras.Model` from the network's input to probabilities.

        Of standard Keras layers, built at first access and never pickled; a saved one
        loads without skdnn. ``model_.predict(X)`` equals ``predict_proba(X)``, also for
        two classes, if X is all numeric and the network a plain one. A categorical
        column is one input per category, and a numeric column with missing values in
        training has a second input that flags them. The recipe's model receives numbers
        scaled, and a column of more than eight categories as a code. `model_inputs`
        makes what it receives of any rows.
        """
        check_is_fitted(self)
        if not hasattr(self, "_model"):
            from skdnn._network.keras_models import build_mean_model

            members: list[Any] = getattr(self, "estimators_", [self])
            specs = [member._spec for member in members]
            self._model = build_mean_model(specs, [own._weights for own in members])
        return self._model

    def model_inputs(self, X: Any) -> np.ndarray:
        """Return rows as `model_` receives them.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            The columns of `fit`, in the same order.

        Returns
        -------
        ndarray of shape (n_samples, n_inputs)
            Numbers, flags of missing values and of categories, codes of columns with
            many categories. Sparse if X is, or with very many categories. Of an
            ensemble: as its first member encodes them.

        Examples
        --------
        >>> import pandas as pd
        >>> from skdnn import DNNClassifier
        >>> table = pd.DataFrame({"town": ["Ulm", "Bonn"] * 60, "size": [5, 7, 6] * 40})
        >>> y = table["size"] > 5
        >>> network = DNNClassifier(max_iter=8, random_state=0).fit(table, y)
        >>> inputs = network.model_inputs(table)
        >>> inputs.shape
        (120, 3)
        >>> proba = network.model_.predict(inputs, verbose=0)
        >>> bool(abs(proba - network.predict_proba(table)).max() < 1e-5)
        True
        """
        rows = self._checked(X)
        inputs: np.ndarray = self._encoder.encode(rows)
        return inputs

    @property
    def coefs_(self) -> Sequence[np.ndarray]:
        """Kernels of the layers, each of shape (units before, units after)."""
        return self._plain_weights("coefs_")[::2]

    @property
    def intercepts_(self) -> Sequence[np.ndarray]:
        """Biases of the layers, each of shape (units,)."""
        return self._plain_weights("intercepts_")[1::2]

    def plot_history(self, ax: Any = None) -> Any:
        """Draw training and validation loss by epoch, against the baseline.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        matplotlib Axes

        Raises
        ------
        NotFittedError
            Before `fit`.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from skdnn import DNNClassifier
        >>> X, y = load_iris(return_X_y=True, as_frame=True)
        >>> network = DNNClassifier(8, learning_rate_init=0.05, max_iter=30,
        ...                         n_iter_no_change=30, random_state=0).fit(X, y)
        >>> network.plot_history().get_xlabel()
        'epoch'
        """
        check_is_fitted(self)
        return plots.plot_history(self, ax)

    def plot_network(
        self, ax: Any = None, *, feature_names: Sequence[str] | None = None
    ) -> Any:
        """Draw the layers, their sizes, weights, and the names of columns and classes.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        feature_names : sequence of str, default=None
            Names of the columns, if `fit` was given none: behind a transformer,
            ``pipe[:-1].get_feature_names_out()``.

        Returns
        -------
        matplotlib Axes

        Raises
        ------
        ValueError
            If `feature_names` are not as many as the columns of `fit`.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from skdnn import DNNClassifier
        >>> X, y = load_iris(return_X_y=True, as_frame=True)
        >>> network = DNNClassifier(8, learning_rate_init=0.05, max_iter=30,
        ...                         n_iter_no_change=30, random_state=0).fit(X, y)
        >>> axes = network.plot_network()
        >>> "petal width (cm)" in [text.get_text() for text in axes.texts]
        True
        """
        check_is_fitted(self)
        return plots.plot_network(self, self._input_names(feature_names), ax)

    def summary(self) -> str:
        """Return data, network, training and verdict as text.

        Returns
        -------
        str
            One line each for data, classes, network, training, best epoch, loss against
            the baseline, verdict; where there are any, also members and reliability.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from skdnn import DNNClassifier
        >>> X, y = load_iris(return_X_y=True, as_frame=True)
        >>> network = DNNClassifier(8, learning_rate_init=0.05, max_iter=30,
        ...                         n_iter_no_change=30, random_state=0).fit(X, y)
        >>> print(network.summary().splitlines()[0])
        data        150 rows to train on, 4 columns
        """
        check_is_fitted(self)
        return summarise(self)

    def _input_names(self, feature_names: Sequence[str] | None) -> list[str]:
        """Return a name for each input: of a column, or of a category of one."""
        n = self.n_features_in_
        default = getattr(self, "feature_names_in_", [f"x{i}" for i in range(n)])
        given = default if feature_names is None else feature_names
        names = [str(name) for name in given]
        if len(names) != n:
            raise ValueError(
                f"`feature_names` must name the {n} columns that the network "
                f"receives. Got {len(names)} names."
            )
        return self._encoder.input_names(names)

    def _plain_weights(self, name: str) -> Sequence[np.ndarray]:
        check_is_fitted(self)
        if hasattr(self, "estimators_"):
            raise AttributeError(
                f"{name!r} exists for one network; an ensemble has "
                f"{len(self.estimators_)}. Use estimators_[0].{name}."
            )
        if not self._spec.is_plain:
            raise AttributeError(
                f"{name!r} exists for plain layers only; with batch_norm=True, and in "
                "the recipe, there are other weights. Use model_.get_weights()."
            )
        return self._weights
