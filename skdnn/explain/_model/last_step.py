"""The classifier within Pipelines and searches, which offers more than they do."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class LastStep:
    """A classifier, and the fitted steps of Pipelines that come `before` it."""

    classifier: Any
    before: tuple[Any, ...]

    def transform(self, rows: Any) -> Any:
        """Return rows as the classifier receives them."""
        for step in self.before:
            rows = step.transform(rows)
        return rows


def last_step(estimator: Any) -> LastStep:
    """Return the classifier itself, or the one last in a Pipeline or fitted search."""
    before: list[Any] = []
    classifier = getattr(estimator, "best_estimator_", estimator)
    while hasattr(classifier, "steps"):
        # steps that change the rows of a fit, such as samplers, have no transform
        steps = [step for _, step in classifier.steps[:-1]]
        before += [step for step in steps if hasattr(step, "transform")]
        classifier = classifier.steps[-1][1]
    return LastStep(classifier, tuple(before))
