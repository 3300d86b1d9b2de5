"""Deep neural networks for tables that behave like scikit-learn classifiers."""

from typing import TYPE_CHECKING, Any

from skdnn._runtime.version import __version__ as __version__

if TYPE_CHECKING:
    from skdnn import explain, io
    from skdnn.classifier import DNNClassifier
    from skdnn.keras_classifier import KerasClassifier

__all__ = ["DNNClassifier", "KerasClassifier", "explain", "io"]


def __getattr__(name: str) -> Any:
    # At first use: the program answers at once, and can be interrupted while pandas
    # and scikit-learn load; the ancestor of KerasClassifier loads Keras.
    if name == "DNNClassifier":
        from skdnn.classifier import DNNClassifier

        return DNNClassifier
    if name == "KerasClassifier":
        from skdnn.keras_classifier import KerasClassifier

        return KerasClassifier
    if name == "explain":
        import skdnn.explain as explain

        return explain
    if name == "io":
        import skdnn.io as io

        return io
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
