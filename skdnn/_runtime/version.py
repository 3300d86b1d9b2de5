"""The version of skdnn, and what is kept of it with an estimator.

scikit-learn is imported late, as `import skdnn` reads this file.
"""

import warnings
from typing import Any

__version__ = "0.1.0"

# As scikit-learn's own estimators keep its version, and ours beside it.
_SKLEARN, _SKDNN = "_sklearn_version", "_skdnn_version"
_UNKNOWN = "of before 0.1"  # that kept none


def with_versions(state: dict[str, Any]) -> dict[str, Any]:
    """Return the state of an estimator with the versions that wrote it."""
    import sklearn

    return state | {_SKLEARN: sklearn.__version__, _SKDNN: __version__}


def without_versions(state: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the state of an estimator of this name; warn of other versions."""
    import sklearn
    from sklearn.exceptions import InconsistentVersionWarning

    from skdnn.exceptions import VersionWarning

    state = dict(state)
    sklearn_version = state.pop(_SKLEARN, sklearn.__version__)
    version = state.pop(_SKDNN, _UNKNOWN)
    if sklearn_version != sklearn.__version__:
        warnings.warn(
            InconsistentVersionWarning(
                estimator_name=name,
                current_sklearn_version=sklearn.__version__,
                original_sklearn_version=sklearn_version,
            ),
            stacklevel=3,
        )
    if version != __version__:
        warnings.warn(VersionWarning(name, __version__, version), stacklevel=3)
    return state
