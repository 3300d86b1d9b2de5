"""Deep neural networks for tables that behave like scikit-learn classifiers."""

from typing import TYPE_CHECKING, Any

from skdnn import explain
from skdnn.classifier import DNNClassifier

if TYPE_CHECKING:
    from skdnn.keras_classifier import KerasClassifier

__version__ = "0.1.0"
__all__ = ["DNNClassifier", "KerasClassifier", "explain"]


def __getattr__(name: str) -> Any:
    # its ancestor is scikeras's, which loads Keras
    if name == "KerasClassifier":
        from skdnn.keras_classifier import KerasClassifier

        return KerasClassifier
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
