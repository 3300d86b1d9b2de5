"""Explanations of fitted classifiers in terms of the user's columns.

Every function takes any fitted scikit-learn classifier, Pipeline or search, and rows as
the estimator takes them: a DataFrame with strings and missing values, or an array. All
classes are explained at once, by their names.
"""

# these register what the results can do
from skdnn.explain import _checks, _plots, _text  # noqa: F401
from skdnn.explain._methods.accumulated_local_effects import accumulated_local_effects
from skdnn.explain._methods.agreement import agreement
from skdnn.explain._methods.average_conditional_effects import (
    average_conditional_effects,
)
from skdnn.explain._methods.break_down import break_down
from skdnn.explain._methods.ceteris_paribus import ceteris_paribus
from skdnn.explain._methods.counterfactuals import counterfactuals
from skdnn.explain._methods.lime import lime
from skdnn.explain._methods.novelty import novelty
from skdnn.explain._methods.partial_dependence import partial_dependence
from skdnn.explain._methods.performance import performance
from skdnn.explain._methods.permutation_importance import permutation_importance
from skdnn.explain._methods.shap import shap
from skdnn.explain._methods.summary import summary
from skdnn.explain._report.report import Report, report
from skdnn.explain._results.attributions import Attributions, BreakDown
from skdnn.explain._results.checks import Checks, Finding
from skdnn.explain._results.counterfactuals import Counterfactuals
from skdnn.explain._results.novelty import Novelty
from skdnn.explain._results.performance import Performance
from skdnn.explain._results.profiles import Profiles
from skdnn.explain._results.summary import Summary
from skdnn.explain._results.tables import DeletionCurves, ResultTable
from skdnn.explain._results.uncertainty import Uncertainty

__all__ = [
    "Attributions",
    "BreakDown",
    "Checks",
    "Counterfactuals",
    "DeletionCurves",
    "Finding",
    "Novelty",
    "Performance",
    "Profiles",
    "Report",
    "ResultTable",
    "Summary",
    "Uncertainty",
    "accumulated_local_effects",
    "agreement",
    "average_conditional_effects",
    "break_down",
    "ceteris_paribus",
    "counterfactuals",
    "lime",
    "novelty",
    "partial_dependence",
    "performance",
    "permutation_importance",
    "report",
    "shap",
    "summary",
]
