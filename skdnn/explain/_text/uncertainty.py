"""How uncertain predictions are, in plain sentences made of their numbers."""

import numpy as np

from skdnn.explain._results.novelty import UNUSUAL, expected_unusual
from skdnn.explain._results.registry import register
from skdnn.explain._results.uncertainty import DISAGREE, Uncertainty
from skdnn.explain._text.formatting import count, join, number, percent
from skdnn.explain._text.sentences import class_text

_MAX_NAMED = 4
_QUARTER = {0.25: "a quarter"}


@register("describe", Uncertainty)
def describe_uncertainty(result: Uncertainty, sample: int | None) -> str:
    """Describe one row, or with None count the rows."""
    if sample is None:
        return " ".join(sentences_of_all(result))
    return " ".join(sentences_of_row(result, sample))


def sentences_of_row(result: Uncertainty, sample: int) -> list[str]:
    """Describe the set of a row, the votes of members, and why it is unusual."""
    sentences = [_set(result, sample), _votes(result, sample)]
    if result.reasons[sample]:
        sentences.append(f"This row is {result.reasons[sample]}.")
    return [sentence for sentence in sentences if sentence]


def _set(result: Uncertainty, sample: int) -> str:
    if result.sets is None or result.confidence_level is None:
        return ""
    level = f"{percent(result.confidence_level)} set"
    names = result.class_names[np.flatnonzero(result.sets[sample])]
    if not len(names):
        return f"The {level} is empty."
    if len(names) == 1:
        return f"The {level} has {class_text(names[0])} only."
    return f"This row could be {_alternatives(names)} ({level})."


def _alternatives(names: np.ndarray) -> str:
    """Name classes as alternatives; of many only some."""
    if len(names) <= _MAX_NAMED:
        return join([class_text(name) for name in names], "or")
    shown = join([class_text(name) for name in names[:_MAX_NAMED]], "or")
    return f"{shown}, or {len(names) - _MAX_NAMED} other classes"


def _votes(result: Uncertainty, sample: int) -> str:
    if result.votes is None:
        return ""
    votes = result.votes[sample].copy()  # n_disagree is of all rows, at each call
    n = int(votes.sum())
    votes[result.predicted[sample]] = 0
    n_other = int(votes.sum())
    if not n_other:
        return f"All {n} {result.member}s agree."
    order = np.argsort(-votes, kind="stable")
    others = [k for k in order if votes[k]]
    named = [
        class_text(result.class_names[k])
        + (f" ({votes[k]})" if len(others) > 1 else "")
        for k in others[:_MAX_NAMED]
    ]
    if len(others) > _MAX_NAMED:
        named.append("others")
    verb = "disagrees" if n_other == 1 else "disagree"
    return f"{n_other} of the {n} {result.member}s {verb}: {join(named)}."


def headline(result: Uncertainty) -> str:
    """Count rows with several classes and unusual rows; empty if neither is known."""
    rows, parts = count(len(result), "row"), []
    if result.sets is not None and result.confidence_level is not None:
        parts.append(
            f"{int(result.several.sum()):,} of {rows} could belong to more than one "
            f"class ({percent(result.confidence_level)} sets)"
        )
    if result.p_values is not None:
        n = int(result.unusual.sum())
        expected = number(len(result) * expected_unusual(result.n_calibration), 2)
        of = "" if parts else f" of {rows}"
        parts.append(
            f"{n:,}{of} {'is' if n == 1 else 'are'} unusual beside the training rows "
            f"({expected} would be by chance)"
        )
    return f"{'; '.join(parts)}." if parts else ""


def sentences_of_all(result: Uncertainty) -> list[str]:
    """Count the rows with several classes, with disagreement, and unusual ones."""
    n, sentences = len(result), []
    if result.sets is not None and result.confidence_level is not None:
        n_several = int(result.several.sum())
        sentences.append(
            f"{n_several:,} of {count(n, 'row')} could belong to more than one class "
            f"({percent(result.confidence_level)} sets)."
        )
    if result.votes is not None:
        n_open = int(result.disagree.sum())
        rows = count(n_open, "row") if sentences else f"{n_open:,} of {count(n, 'row')}"
        sentences.append(
            f"For {rows}, {_QUARTER[DISAGREE]} or more of the {result.n_members} "
            f"{result.member}s disagree with the prediction."
        )
    if result.p_values is not None:
        sentences.append(_unusual(result, is_first=not sentences))
    return sentences


def _unusual(result: Uncertainty, *, is_first: bool) -> str:
    """Count unusual rows beside those expected by chance."""
    n, n_unusual = len(result), int(result.unusual.sum())
    rows = count(n_unusual, "row")
    if is_first:
        rows = f"{n_unusual:,} of {count(n, 'row')}"
    expected = number(n * expected_unusual(result.n_calibration), 2)
    return (
        f"{rows} {'is' if n_unusual == 1 else 'are'} unusual beside the training rows "
        f"(p ≤ {UNUSUAL}); {expected} would be by chance."
    )
