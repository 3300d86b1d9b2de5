"""What a fitted classifier shows of its network: model, weights, pictures, words."""

from sklearn.utils.validation import check_is_fitted

from skdnn._estimator.summary import summarise
from skdnn._tabular import validation as _data


class FittedNetwork:
    """The part of `DNNClassifier` that looks at what `fit` has left, and keeps it."""

    @property
    def model_(self):
        """A `keras.Model` from the network's input to probabilities.

        Of standard Keras layers, made when it is first asked for and never pickled; a
        saved one loads without skdnn. ``model_.predict(X)`` equals
        ``predict_proba(X)``, also for two classes, where X is all numbers and the
        network a plain one. A category is one input a level, and a number that was
        missing in training has an input more, which tells where. The recipe's model
        receives numbers scaled, and a category of more than eight levels as a code.
        """
        check_is_fitted(self)
        if not hasattr(self, "_model"):
            from skdnn._network.keras_models import build_mean_model

            members = getattr(self, "estimators_", [self])
            self._model = build_mean_model(
                [member._spec for member in members],
                [member._weights for member in members],
            )
        return self._model

    @property
    def coefs_(self):
        """Kernels of the layers, each of shape (units before, units after)."""
        return self._plain_weights("coefs_")[::2]

    @property
    def intercepts_(self):
        """Biases of the layers, each of shape (units,)."""
        return self._plain_weights("intercepts_")[1::2]

    def plot_history(self, ax=None):
        """Draw training and validation loss by epoch, against the baseline.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        matplotlib Axes
        """
        from skdnn._estimator.plots import plot_history

        check_is_fitted(self)
        return plot_history(
            self.history_, self.baseline_loss_, self._training_summary.best_epoch, ax
        )

    def plot_network(self, ax=None, *, feature_names=None):
        """Draw the layers, their sizes, weights, and the names of columns and classes.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        feature_names : sequence of str, default=None
            Names of the columns, if `fit` saw none: behind a transformer,
            ``pipe[:-1].get_feature_names_out()``.

        Returns
        -------
        matplotlib Axes
        """
        from skdnn._estimator.plots import plot_network

        check_is_fitted(self)
        return plot_network(
            self._spec,
            getattr(self, "estimators_", [self])[0]._weights,
            _data.column_names(self, feature_names),
            [str(label) for label in self.classes_],
            self.n_features_in_,
            ax,
        )

    def summary(self):
        """Return data, network, training and verdict in words.

        Returns
        -------
        str
            A line each for data, classes, network, training, best epoch, loss against
            the baseline, and verdict; for an ensemble, one on its members.
        """
        check_is_fitted(self)
        return summarise(
            self._spec,
            self._training_summary,
            self.history_,
            self.baseline_loss_,
            [str(label) for label in self.classes_],
            self.n_features_in_,
        )

    def _plain_weights(self, name):
        check_is_fitted(self)
        if hasattr(self, "estimators_"):
            raise AttributeError(
                f"{name!r} exists for one network; an ensemble has "
                f"{len(self.estimators_)}. Use estimators_[0].{name}."
            )
        if not self._spec.is_plain:
            raise AttributeError(
                f"{name!r} exists for plain layers only; with batch_norm=True, and in "
                "the recipe, there is more than them. Use model_.get_weights()."
            )
        return self._weights
