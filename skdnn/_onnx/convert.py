"""Which way a fitted estimator becomes an ONNX model."""

from typing import Any

from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from skdnn._onnx.classifier import classifier_model
from skdnn._onnx.pipeline import pipeline_model
from skdnn.classifier import DNNClassifier


def convert(estimator: Any, confidence_level: float | None) -> Any:
    """Return the ONNX model of a fitted estimator."""
    check_is_fitted(estimator)
    while hasattr(estimator, "best_estimator_"):
        estimator = estimator.best_estimator_
    if isinstance(estimator, Pipeline) and all(
        step in (None, "passthrough") for _, step in estimator.steps[:-1]
    ):
        estimator = estimator.steps[-1][1]
    if isinstance(estimator, DNNClassifier):
        return classifier_model(estimator, confidence_level)
    return pipeline_model(estimator, confidence_level)
