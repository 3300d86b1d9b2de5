"""Keep fitted classifiers in files, and read them back."""

import os
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

__all__ = [
    "dump",
    "load",
    "model_card",
    "to_onnx",
    "write_attributions",
    "write_predictions",
]


def dump(estimator: Any, path: str | os.PathLike[str]) -> None:
    """Write a fitted classifier, or a pipeline or search with one, to a file.

    The file holds data and names of types, and no code: `load` runs none of it. It is
    a file of skops [1]_ with one more member, a description in JSON with versions,
    classes, names of columns and a checksum. Equal models give equal bytes.

    Parameters
    ----------
    estimator : estimator
        A `DNNClassifier`; or a pipeline, search, ensemble or other estimator of
        scikit-learn whose parts are known types (see Notes).
    path : str or path-like
        Where to write, by convention ``"….skops"``. An existing file is replaced when
        the new one is complete, so that a failure leaves it unchanged.

    Raises
    ------
    TypeError
        If `estimator` is none.
    ValueError
        If a part cannot be kept, naming the parameter and what to do instead.
    OSError
        If the file cannot be written, with what to do instead.

    See Also
    --------
    load : Reads the file.

    Notes
    -----
    Known are the transformers, pipelines, searches, linear models and ensembles of
    scikit-learn, except for those whose compiled code follows indices of the file
    unchecked, such as trees and support vector machines. Functions and objects of the
    user, such as callbacks, are not: use `joblib.dump`, whose files run code when they
    are read.

    A fitted `KerasClassifier` holds a Keras model and a function that builds it, and
    is kept by pickle and joblib only.

    References
    ----------
    .. [1] https://skops.readthedocs.io/en/stable/persistence.html

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn.datasets import load_iris
    >>> import skdnn
    >>> X, y = load_iris(return_X_y=True)
    >>> network = skdnn.DNNClassifier(max_iter=8, random_state=0).fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "iris.skops")
    ...     skdnn.io.dump(network, path)
    ...     again = skdnn.io.load(path)
    >>> bool((again.predict_proba(X) == network.predict_proba(X)).all())
    True
    """
    from skdnn._model_files.archive import write_model

    write_model(estimator, path)


def load(path: str | os.PathLike[str]) -> BaseEstimator:
    """Read an estimator that `dump` has written.

    Files of skops itself are read as well, without the checksum.

    Parameters
    ----------
    path : str or path-like
        The file.

    Returns
    -------
    BaseEstimator
        The estimator. It predicts what the one that was written does, bit for bit
        where the versions of all packages are the same.

    Raises
    ------
    ValueError
        If the file is damaged, is not a model file, or names types that are not
        trusted, which are then listed. Nothing of it has been run.
    OSError
        If the file cannot be read.

    Warns
    -----
    VersionWarning
        If the file was written by another version of skdnn.
    sklearn.exceptions.InconsistentVersionWarning
        If the file was written with another version of scikit-learn.

    See Also
    --------
    dump : Writes the file.

    Notes
    -----
    A file from a stranger may hold any weights, and so predict anything, and may take
    much time or memory. The documentation has a page on what is promised.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import skdnn
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     skdnn.io.dump(skdnn.DNNClassifier((20, 20)), Path(folder, "net.skops"))
    ...     network = skdnn.io.load(Path(folder, "net.skops"))
    >>> network
    DNNClassifier(hidden_layer_sizes=(20, 20))
    """
    from skdnn._model_files.archive import read_model

    estimator: BaseEstimator = read_model(path)
    return estimator


def model_card(
    estimator: Any, performance: Any = None, *, title: str = "Model card"
) -> str:
    """Describe a fitted classifier on a page of Markdown.

    Parameters
    ----------
    estimator : estimator
        A fitted `DNNClassifier`, or a pipeline or search with one.
    performance : skdnn.explain.Performance, default=None
        Its scores on rows that it was not trained on, with groups if they were given.
        None: the card states that there are none.
    title : str, default="Model card"
        The heading.

    Returns
    -------
    str
        Data (columns, their kinds and what training rows held), training, scores,
        groups, limits. Figures are those of the estimator and of `performance`; names
        are escaped.

    Raises
    ------
    TypeError
        If `performance` is of another type.
    ValueError
        If `performance` is of other classes.
    sklearn.exceptions.NotFittedError
        Before `fit`.

    See Also
    --------
    skdnn.explain.performance : Measures scores.
    skdnn.explain.report : A report with plots, which `to_markdown` writes as well.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> import skdnn
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> network = skdnn.DNNClassifier(max_iter=8, random_state=0).fit(X[::2], y[::2])
    >>> scores = skdnn.explain.performance(network, X[1::2], y[1::2])
    >>> card = skdnn.io.model_card(network, scores, title="Iris")
    >>> print(card.splitlines()[0])
    # Iris
    """
    from sklearn.utils.validation import check_is_fitted

    from skdnn._model_files.card import card_text
    from skdnn.explain import Performance

    check_is_fitted(estimator)
    if performance is not None and not isinstance(performance, Performance):
        raise TypeError(
            "`performance` must be a result of skdnn.explain.performance. Got "
            f"{type(performance).__name__}."
        )
    if performance is not None:
        own, given = list(estimator.classes_), list(performance.class_names)
        if own != given:
            raise ValueError(
                f"`performance` must be of the classes of the estimator: {own}. Got "
                f"{given}. Measure it with this estimator."
            )
    return card_text(estimator, performance, title)


def to_onnx(estimator: Any, *, confidence_level: float | None = None) -> Any:
    """Return a fitted classifier as an ONNX model, for other languages and browsers.

    Parameters
    ----------
    estimator : estimator
        A fitted `DNNClassifier`; or a Pipeline or other classifier of scikit-learn with
        one, whose other parts skl2onnx converts.
    confidence_level : float, default=None
        Level of prediction sets, in (0, 1), as in `DNNClassifier.predict_set`; None
        leaves them out.

    Returns
    -------
    model : Any
        An ``onnx.ModelProto``, of opset 19; ``model.SerializeToString()`` are the bytes
        of a file. Its inputs are one per column if `fit` was given names, each of
        shape (n_samples, 1): numbers, NaN where they are missing, or strings; else one
        matrix ``X`` of shape (n_samples, n_features). Its outputs are ``label`` (what
        `predict` returns), ``probabilities`` of shape (n_samples, n_classes), float32,
        and ``prediction_set``, booleans of that shape. An underscore is added to names
        that a column has.

    Raises
    ------
    ImportError
        If onnx is not installed, or skl2onnx where it is needed; with the command.
    ValueError
        If the activation is a function, a column has categories of several types, or
        skl2onnx does not convert a step.
    sklearn.exceptions.NotFittedError
        Before `fit`.

    Notes
    -----
    Probabilities are within 1e-5 of those of `predict_proba`. The model computes in the
    precision of the network, and encodes columns itself: strings that `fit` did not
    have count as missing, and so does any string that stands for a missing cell, such
    as ``""`` where this is no category. Infinite numbers, which `predict` refuses, are
    not noticed. Of pipelines, the steps before the network are in float32, and columns
    that they drop are no inputs. Isotonic calibration has steep steps, which enlarge
    rounding: there, probabilities of some rows differ by more than 1e-5.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> import skdnn
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> network = skdnn.DNNClassifier(max_iter=8, random_state=0).fit(X, y)
    >>> model = skdnn.io.to_onnx(network, confidence_level=0.9)
    >>> [one.name for one in model.graph.input][:2]
    ['sepal length (cm)', 'sepal width (cm)']
    >>> [one.name for one in model.graph.output]
    ['label', 'probabilities', 'prediction_set']
    """
    from skdnn._onnx.convert import convert

    return convert(estimator, confidence_level)


def write_predictions(estimator: Any, X: Any, path: str | os.PathLike[str]) -> None:
    """Write classes and probabilities to a Parquet file, block by block.

    Memory does not grow with the rows.

    Parameters
    ----------
    estimator : estimator
        A fitted classifier with `predict_proba`.
    X : {array-like, data frame, container} of shape (n_samples, n_features)
        The columns of `fit`. Or a container that is read block by block: a
        `pyarrow.dataset.Dataset`, a polars LazyFrame, a Dask DataFrame, a large
        `numpy.memmap`; columns that `fit` did not have are then left out.
    path : str or path-like
        Where to write. An existing file is replaced when the new one is complete.

    Raises
    ------
    ImportError
        If pyarrow is not installed.
    ValueError
        If rows are invalid, or may have several labels.
    OSError
        If the file cannot be written, with what to do instead.
    sklearn.exceptions.NotFittedError
        Before `fit`.

    See Also
    --------
    write_attributions : SHAP values of the rows.

    Notes
    -----
    The file has one row for each of X, in the same order: ``prediction``, and
    ``probability_…`` for each class.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import pandas as pd
    >>> from sklearn.datasets import load_iris
    >>> import skdnn
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> network = skdnn.DNNClassifier(max_iter=8, random_state=0).fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "predictions.parquet")
    ...     skdnn.io.write_predictions(network, X, path)
    ...     frame = pd.read_parquet(path)
    >>> list(frame)
    ['prediction', 'probability_0', 'probability_1', 'probability_2']
    >>> bool((frame["prediction"] == network.predict(X)).all())
    True
    """
    from sklearn.utils.validation import check_is_fitted

    from skdnn._result_files.parquet_parts import write_parts
    from skdnn._result_files.predictions import prediction_frames

    check_is_fitted(estimator)
    write_parts(path, prediction_frames(estimator, X), "write_predictions")


def write_attributions(
    estimator: Any,
    X: Any,
    path: str | os.PathLike[str],
    *,
    background: Any = None,
    output: str = "probability",
    max_evals: int | None = None,
    random_state: int | np.random.RandomState | None = None,
) -> None:
    """Write SHAP values to a Parquet file, block by block.

    Memory does not grow with the rows.

    Parameters
    ----------
    estimator : estimator
        A fitted classifier with `predict_proba`.
    X : {array-like, data frame, container} of shape (n_samples, n_features)
        Rows to explain; containers as in `write_predictions`.
    path : str or path-like
        Where to write. An existing file is replaced when the new one is complete.
    background : like X, default=None
        Rows that represent "this column is unknown", as in `explain.shap`; None takes
        X. Of a container, 10 000 rows are drawn, of which `explain.shap` draws.
    output : {"probability", "log_odds"}, default="probability"
        What is attributed.
    max_evals : int, default=None
        Maximum number of evaluations of the classifier for each row, as in
        `explain.shap`.
    random_state : int, RandomState or None, default=None
        Draws background rows and sets of columns.

    Raises
    ------
    ImportError
        If pyarrow is not installed.
    ValueError
        If rows, background or options are invalid.
    TypeError
        If `max_evals` has an invalid type.
    OSError
        If the file cannot be written, with what to do instead.
    sklearn.exceptions.NotFittedError
        Before `fit`.

    See Also
    --------
    skdnn.explain.shap : The same values in memory, and references.

    Notes
    -----
    The file has a row for each row of X and class: ``sample``, its position from 0,
    ``class``, ``prediction`` and ``base_value`` in units of `output`, and for each
    column of X ``value_…`` and ``std_error_…``. The values of a row and the base value
    sum to the prediction. 1024 rows are explained at once, each such block as
    `explain.shap` does with the same background and an int as `random_state`.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import pandas as pd
    >>> from sklearn.datasets import load_iris
    >>> import skdnn
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> network = skdnn.DNNClassifier(max_iter=8, random_state=0).fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "shap.parquet")
    ...     skdnn.io.write_attributions(network, X[:2], path, background=X)
    ...     frame = pd.read_parquet(path)
    >>> list(frame)[:5]
    ['sample', 'class', 'prediction', 'base_value', 'value_sepal length (cm)']
    >>> frame.shape  # two rows and three classes
    (6, 12)
    """
    from sklearn.utils.validation import check_is_fitted

    from skdnn._result_files.attributions import attribution_frames
    from skdnn._result_files.parquet_parts import write_parts

    check_is_fitted(estimator)
    frames = attribution_frames(
        estimator, X, background, output, max_evals, random_state
    )
    write_parts(path, frames, "write_attributions")
