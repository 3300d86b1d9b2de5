"""Deep neural networks for tables that behave like scikit-learn classifiers."""

from typing import TYPE_CHECKING, Any

from skdnn import explain, io
from skdnn._runtime.version import __version__ as __version__
from skdnn.classifier import DNNClassifier

if TYPE_CHECKING:
    from skdnn.keras_classifier import KerasClassifier

__all__ = ["DNNClassifier", "KerasClassifier", "explain", "io"]


def __getattr__(name: str) -> Any:
    # its ancestor is scikeras's, which loads Keras
    if name == "KerasClassifier":
        from skdnn.keras_classifier import KerasClassifier

        return KerasClassifier
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
