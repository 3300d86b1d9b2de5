"""Classes and probabilities of rows, block by block."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from skdnn._streaming.feature_blocks import feature_blocks
from skdnn.classifier import DNNClassifier


def prediction_frames(estimator: Any, X: Any) -> Iterator[pd.DataFrame]:
    """Yield a frame of classes and probabilities for each block of rows."""
    classes = np.asarray(estimator.classes_)
    names = [f"probability_{label}" for label in classes.tolist()]
    # what `predict` of others returns need not be the most probable class
    is_own = type(estimator) is DNNClassifier
    for _, rows in feature_blocks(estimator, X):
        proba = estimator.predict_proba(rows)
        if is_own and proba.shape[1] == len(classes) and _has_one_class(estimator):
            predicted = classes[proba.argmax(axis=1)]
        else:
            predicted = estimator.predict(rows)
        if np.ndim(predicted) != 1:
            raise ValueError(
                "write_predictions must be given a classifier of one class per row. "
                "Got one of several labels per row. Fit a DNNClassifier for each label."
            )
        columns = {"prediction": predicted}
        columns |= dict(zip(names, proba.T, strict=True))
        yield pd.DataFrame(columns)


def _has_one_class(estimator: DNNClassifier) -> bool:
    """Return whether each row has one class."""
    return not estimator._spec.is_multilabel
