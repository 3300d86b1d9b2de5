"""The hint "Did you mean …?" of error messages."""

import difflib
from collections.abc import Iterable


def did_you_mean(value: object, choices: Iterable[object]) -> str:
    """Return a hint at the choice nearest to a value, or "" if none is near.

    >>> did_you_mean("epochz", ["epochs", "batch_size"])
    " Did you mean 'epochs'?"
    >>> did_you_mean("x", ["epochs", "batch_size"])
    ''
    """
    names = [str(choice) for choice in choices]
    by_folded = {name.lower(): name for name in reversed(names)}
    near = difflib.get_close_matches(str(value), names, n=1)
    if not near:
        folded = difflib.get_close_matches(str(value).lower(), by_folded, n=1)
        near = [by_folded[name] for name in folded]
    return f" Did you mean {near[0]!r}?" if near else ""
