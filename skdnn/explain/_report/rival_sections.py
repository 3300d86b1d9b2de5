"""Sections on rivals: their scores, and what was gained by a deep network."""

from typing import Any

from skdnn.explain._methods.performance_scores import Measured, Score
from skdnn.explain._report import rival_sentences
from skdnn.explain._report.evidence import Evidence
from skdnn.explain._report.rivals import CLASS_SHARES, Rival, better, recommended

TITLES = {
    "accuracy": ("Accuracy", "share of correct predictions", True),
    "balanced_accuracy": ("Balanced accuracy", "mean recall of the classes", True),
    "log_loss": ("Log loss", "mean -log probability of the true class", False),
    "roc_auc": ("ROC AUC", "each class against the rest, mean", True),
    "calibration_error": ("Calibration error", "confidence against accuracy", False),
}
N_GAINS = 6  # pairs and groups that are listed


def scores(evidence: Evidence) -> dict[str, Any]:
    """Return all scores of the classifier and its rivals, and which one to use."""
    chosen = recommended(evidence.rivals)
    how_to = rival_sentences.how_to_get_rivals(is_command=evidence.origin.is_command)
    section = {
        "rows": [
            {
                "name": name,
                "title": title,
                "meaning": meaning,
                "high_is_good": high_is_good,
                "model": score_of(evidence.performance, name),
                "baseline": {"value": evidence.base.scores[name].value},
            }
            for name, (title, meaning, high_is_good) in TITLES.items()
        ],
        "rivals": [_rival(rival) for rival in evidence.rivals],
        "has_labels": evidence.has_labels,
        "how_to_get_rivals": None if evidence.has_labels else how_to,
        "missing": list(evidence.without_rivals),
        "n_background": evidence.n_background,
        "recommended": None if chosen is None else chosen.name,
        "n_draws": len(evidence.performance.draws["accuracy"]),
        "is_weighted": evidence.is_weighted,
    }
    words = rival_sentences.scores(section, evidence.subject)
    return {**section, "words": words}


def score_of(measured: Measured, name: str) -> dict[str, Any]:
    """Return a score and its interval."""
    return dict(vars(measured.scores[name]))


def _rival(rival: Rival) -> dict[str, Any]:
    by_score = {name: score_of(rival.performance, name) for name in TITLES}
    if rival.name == CLASS_SHARES:  # equal probabilities rank nothing
        by_score["roc_auc"] = dict(vars(Score(by_score["roc_auc"]["value"])))
    return {
        "name": rival.name,
        "n_trained": rival.n_trained,
        "is_simpler": rival.is_simpler,
        "scores": by_score,
        "differences": {
            name: {**vars(score), "better": better(rival, name)}
            for name, score in rival.differences.items()
        },
    }


def depth(evidence: Evidence) -> dict[str, Any] | None:
    """Return what the classifier does that logistic regression does not."""
    gain = evidence.depth
    if gain is None:
        return None
    classes = evidence.classes
    section = {
        "curves": [
            {"feature": c.feature, "largest": c.largest, "class": classes[c.code]}
            for c in sorted(gain.curves, key=lambda curve: -curve.largest)
        ],
        "pairs": [
            {
                "features": list(p.features),
                "class": classes[p.code],
                "value": p.value,
                "std_error": p.std_error,
                "linear": p.linear,
            }
            for p in gain.pairs[:N_GAINS]
        ],
        "groups": [dict(vars(group)) for group in gain.groups[:N_GAINS]],
        "n_groups": gain.n_groups,
    }
    return {**section, "words": rival_sentences.depth(section, evidence.subject)}
