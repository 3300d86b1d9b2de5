"""Keep fitted classifiers in files, and read them back."""

import os
from typing import Any

__all__ = ["dump", "load"]


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


def load(path: str | os.PathLike[str]) -> Any:
    """Read an estimator that `dump` has written.

    Files of skops itself are read as well, without the checksum.

    Parameters
    ----------
    path : str or path-like
        The file.

    Returns
    -------
    estimator
        It predicts what the one that was written does, bit for bit where the versions
        of all packages are the same.

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
    dump : Writes the file, with an example.

    Notes
    -----
    A file from a stranger may hold any weights, and so predict anything, and may take
    much time or memory. The documentation has a page on what is promised.
    """
    from skdnn._model_files.archive import read_model

    return read_model(path)
