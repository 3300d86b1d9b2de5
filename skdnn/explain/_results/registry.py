"""What can be done with each type of result: plot, describe, checks.

Results are data and import nothing of `explain` above them. `_plots`, `_text` and
`_checks` register their functions here by type of result, the methods of the results
look them up, and ``skdnn.explain`` imports all three packages.
"""

from collections.abc import Callable
from typing import Any, TypeVar

_Function = TypeVar("_Function", bound=Callable[..., Any])
_FUNCTIONS: dict[tuple[str, type], Callable[..., Any]] = {}


def register(action: str, *types: type) -> Callable[[_Function], _Function]:
    """Return a decorator that makes a function the `action` of some result types."""

    def keep(function: _Function) -> _Function:
        _FUNCTIONS.update({(action, kind): function for kind in types})
        return function

    return keep


def dispatch(action: str, result: object) -> Callable[..., Any]:
    """Return the function registered for the type of a result or its nearest base."""
    for kind in type(result).__mro__:
        if (action, kind) in _FUNCTIONS:
            return _FUNCTIONS[action, kind]
    raise TypeError(
        f"{action!r} must be registered for the type of the result. Got "
        f"{type(result).__name__}; import skdnn.explain first."
    )
