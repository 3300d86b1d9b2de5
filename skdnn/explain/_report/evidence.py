"""The results that a report is made of: explanations and plain data, no model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from skdnn.explain._methods.performance_scores import Measured
from skdnn.explain._report.depth_gain import DepthGain
from skdnn.explain._report.fitted_record import FittedRecord
from skdnn.explain._report.origin import Origin
from skdnn.explain._report.picked_explanations import PickedRows
from skdnn.explain._report.rivals import Rival
from skdnn.explain._report.similar_rows import SimilarRows
from skdnn.explain._results.attributions import Attributions, BreakDown
from skdnn.explain._results.checks import Checks
from skdnn.explain._results.counterfactuals import Counterfactuals
from skdnn.explain._results.performance import Performance
from skdnn.explain._results.profiles import Profiles
from skdnn.explain._results.tables import DeletionCurves, ResultTable
from skdnn.explain._results.uncertainty import Uncertainty

N_CLASSES_SHOWN = 6  # distinguishable colours


@dataclass(frozen=True)
class Evidence:
    """All results that a report is made of.

    `columns` are the scored rows (see `cells.as_column`), `codes` and `predicted` the
    positions of their classes, `row_groups` their groups. `chosen` are the rows that
    are shown one by one, each with the reason (empty if requested): among `shap_rows`,
    which `shap` explains, the first of `lime` and `break_down`, and all of
    `ceteris_paribus` and `counterfactuals`. `deletion` and `reruns` are by the name of
    the method.
    `importance`, `profiles` and `accumulated` are from `n_averaged` random rows.
    `readable` are the rows that can be picked, the chosen ones among them, and `picked`
    explains the others; `similar` has the background rows similar to each of them.
    `nested` are scores of nested cross-validation, None if there are none.
    `without_rivals` are the reasons why rivals are missing, `has_labels` whether the
    classes of the background are known, and `base` always predicts the class shares of
    the rows themselves. `uncertainty` is that of the rows at `uncertain_rows`, with all
    of `readable`; `drift` describes them beside the background as a whole. `positive`
    is the position of the positive one of two classes, None for more, and `origin` is
    what is known of where the rows are from.
    """

    title: str | None
    record: FittedRecord
    columns: Sequence[np.ndarray]
    row_labels: Sequence[str] | None
    row_groups: Sequence[str] | None
    feature_names: Sequence[str]
    class_names: np.ndarray
    codes: np.ndarray
    probabilities: np.ndarray
    predicted: np.ndarray
    performance: Measured
    decisions: Performance
    nested: Any
    rivals: Sequence[Rival]
    without_rivals: Sequence[str]
    has_labels: bool
    base: Measured
    depth: DepthGain | None
    similar: SimilarRows | None
    readable: Sequence[int]
    picked: PickedRows | None
    importance: ResultTable
    n_averaged: int
    n_repeats: int
    scoring: str
    profiles: Profiles
    accumulated: Profiles
    shap: Attributions
    shap_rows: Sequence[int]
    lime: Attributions
    chosen: Sequence[tuple[int, str]]
    break_down: BreakDown
    ceteris_paribus: Profiles
    counterfactuals: Counterfactuals | None
    agreement: ResultTable
    checks: Sequence[Checks]
    deletion: Mapping[str, DeletionCurves]
    reruns: Mapping[str, pd.DataFrame | None]
    n_background: int
    is_weighted: bool
    random_state: int
    uncertainty: Uncertainty | None = None
    uncertain_rows: Sequence[int] = ()
    drift: str = ""
    positive: int | None = None
    origin: Origin = field(default_factory=Origin)

    @cached_property
    def classes(self) -> list[str]:
        """The names of the classes as text."""
        return [str(label) for label in self.class_names.tolist()]

    @cached_property
    def shown(self) -> list[int]:
        """The classes that have a colour: all, or those with most rows."""
        counts = np.bincount(self.codes, minlength=len(self.classes))
        most_frequent = np.argsort(-counts, kind="stable")[:N_CLASSES_SHOWN]
        return sorted(most_frequent.tolist())

    @property
    def distinct(self) -> list[int]:
        """The shown classes, of two only the positive one: the other mirrors it."""
        return self.shown if self.positive is None else [self.positive]

    @property
    def positive_class(self) -> str | None:
        """The name of the positive one of two classes as text; None for more."""
        return None if self.positive is None else self.classes[self.positive]

    @property
    def subject(self) -> str:
        """What sentences call the estimator: a network has a history or a drawing."""
        record = self.record
        is_network = record.history is not None or record.network is not None
        return "network" if is_network else "model"
