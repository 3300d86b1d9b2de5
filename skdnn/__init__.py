"""Deep neural networks for tables that behave like scikit-learn classifiers."""

from skdnn import explain
from skdnn.classifier import DNNClassifier

__version__ = "0.1.0"
__all__ = ["DNNClassifier", "explain"]
