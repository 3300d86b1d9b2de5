"""Checks of sets of classes, of members that disagree, and of unusual rows."""

from skdnn.explain._checks.check import Answer, Measurements, NotApplicableError
from skdnn.explain._results.attributions import Attributions
from skdnn.explain._results.novelty import UNUSUAL, Novelty, expected_unusual
from skdnn.explain._results.performance import Performance
from skdnn.explain._results.uncertainty import Uncertainty
from skdnn.explain._text.formatting import count, interval, number, percent
from skdnn.explain._text.performance import describe_group_coverage

_MANY_SEVERAL = 1 / 3
_MANY_DISAGREE = 0.1


def coverage(result: Performance, measured: Measurements) -> Answer:
    """Fire if sets hold the true class clearly less often than their level."""
    if result.sets is None or result.confidence_level is None:
        raise NotApplicableError("The classifier predicts no sets of classes.")
    row = result.sets[result.sets["confidence_level"] == result.confidence_level]
    row = row.iloc[0]
    held = {"value": row["coverage"], "low": row["ci_low"], "high": row["ci_high"]}
    return (
        bool(row["ci_high"] < result.confidence_level),
        f"{interval(held, percent)} of the {percent(result.confidence_level)} sets "
        f"hold the class of their row, over {count(result.n_samples, 'row')}.",
    )


def group_coverage(result: Performance, measured: Measurements) -> Answer:
    """Fire if the share of sets that hold the class differs between groups."""
    differs, text = describe_group_coverage(result)
    if result.sets is None or not text:
        raise NotApplicableError("There are no groups to compare, or no sets.")
    return differs, text


def several_classes(
    result: Attributions | Uncertainty, measured: Measurements
) -> Answer:
    """Fire if a third of the rows could belong to several classes."""
    known = _known(result)
    if known.sets is None:
        raise NotApplicableError("The classifier predicts no sets of classes.")
    n = int(known.several.sum())
    return (
        n > _MANY_SEVERAL * len(known),
        f"{n:,} of {count(len(known), 'row')} could belong to more than one class "
        f"({percent(known.confidence_level)} sets).",
    )


def members_agree(result: Attributions | Uncertainty, measured: Measurements) -> Answer:
    """Fire if a quarter of the members disagree about a tenth of the rows."""
    known = _known(result)
    if known.votes is None:
        raise NotApplicableError("The classifier has no members.")
    n = int(known.disagree.sum())
    return (
        n > _MANY_DISAGREE * len(known),
        f"For {n:,} of {count(len(known), 'row')}, a quarter or more of the "
        f"{known.n_members} {known.member}s disagree with the prediction.",
    )


def rows_like_training(
    result: Attributions | Uncertainty | Novelty, measured: Measurements
) -> Answer:
    """Fire if more rows are unlike the training rows than by chance."""
    known = result if isinstance(result, Novelty) else _known(result)
    if known.p_values is None or known.p_unusual is None:
        raise NotApplicableError("The rows were not compared with training rows.")
    n, n_unusual = len(known.p_values), int(known.unusual.sum())
    expected = number(n * expected_unusual(known.n_calibration), 2)
    return (
        n_unusual > 0 and known.p_unusual <= UNUSUAL,
        f"{n_unusual:,} of {count(n, 'row')} {'is' if n_unusual == 1 else 'are'} "
        f"unusual beside the training rows (p ≤ {UNUSUAL}); {expected} would be by "
        "chance.",
    )


def _known(result: Attributions | Uncertainty) -> Uncertainty:
    """Return the uncertainty of the rows of a result, if it is known."""
    known = result.uncertainty if isinstance(result, Attributions) else result
    if known is None or not len(known):
        raise NotApplicableError("The classifier has neither sets nor members.")
    return known
