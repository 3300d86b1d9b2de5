"""The checks, in the order of their codes. A code never changes its meaning."""

from skdnn.explain._checks import of_measurements, of_result, of_uncertainty
from skdnn.explain._checks.check import Check
from skdnn.explain._results.attributions import Attributions
from skdnn.explain._results.counterfactuals import Counterfactuals
from skdnn.explain._results.novelty import Novelty
from skdnn.explain._results.performance import Performance
from skdnn.explain._results.profiles import Profiles
from skdnn.explain._results.tables import ResultTable
from skdnn.explain._results.uncertainty import Uncertainty

# the result types that a check applies to, with their names in sentences
_ROWS: dict[type, str] = {Attributions: "attributions"}
_CURVES: dict[type, str] = {Profiles: "profiles"}
_RANKED = _ROWS | {ResultTable: "importance"}
_WITH_BACKGROUND = _ROWS | _CURVES | {Counterfactuals: "counterfactuals"}
_SCORES: dict[type, str] = {Performance: "performance"}
_UNCERTAIN = _ROWS | {Uncertainty: "uncertainty"}
_COMPARED = _UNCERTAIN | {Novelty: "novelty"}

CHECKS = (
    Check(
        "SKD101", "Attributions add up to the prediction", "high",
        _ROWS, "", of_result.additivity,
        "Check that the classifier returns the same output for the same row each time; "
        "if it does, use method='auto'.",
    ),
    Check(
        "SKD102", "Sampling errors are small", "medium",
        _ROWS, "", of_result.sampling_error,
        "Lower the error: explain.shap(…, tolerance=0.01), or larger max_evals.",
    ),
    Check(
        "SKD103", "Surrogates fit the classifier", "high",
        _ROWS, "", of_result.surrogate_fit,
        "Use explain.shap instead: it does not assume linearity.",
    ),
    Check(
        "SKD104", "Deletion beats random order", "high",
        _ROWS, "deletion", of_measurements.deletion,
        "Do not rely on the order of these columns; try explain.shap with "
        "method='auto', and more background rows.",
    ),
    Check(
        "SKD105", "First and second column are separated", "low",
        _RANKED, "", of_result.ranks_separated,
        "Treat the first columns as tied, or lower the error: more n_repeats or rows "
        "for importance, a tolerance for SHAP.",
    ),
    Check(
        "SKD106", "Stable across seeds", "medium",
        _ROWS, "reruns", of_measurements.stability,
        "Lower the error (tolerance, max_evals), and pass more background rows: each "
        "seed draws its own.",
    ),
    Check(
        "SKD107", "Methods agree", "medium",
        _ROWS, "agreement", of_measurements.agreement,
        "Do not rely on one method: plot explain.ceteris_paribus of these rows, and "
        "look for correlated columns.",
    ),
    Check(
        "SKD108", "Synthetic rows resemble the data", "medium",
        _ROWS, "off_data", of_measurements.off_data,
        "Columns are correlated. Group them (groups=…), so that they are replaced "
        "together, and compare with explain.accumulated_local_effects.",
    ),
    Check(
        "SKD109", "Background is large enough", "medium",
        _WITH_BACKGROUND, "", of_result.background_size,
        "Pass the training rows: background=X_train; 100 are drawn from them.",
    ),
    Check(
        "SKD110", "All columns vary", "low",
        _ROWS, "", of_result.constant_columns,
        "These rows cannot show an effect of these columns: use a background in which "
        "they vary, or drop them.",
    ),
    Check(
        "SKD111", "Curves stay within the data", "medium",
        _CURVES, "off_grid", of_measurements.off_grid,
        "Do not interpret the curves there; explain.accumulated_local_effects stays "
        "within the data.",
    ),
    Check(
        "SKD112", "Columns are what they look like", "medium",
        _ROWS | _CURVES, "columns", of_measurements.columns,
        "Convert or drop these columns, fit again, and explain that.",
    ),
    Check(
        "SKD113", "Sets hold the true class as often as their level", "high",
        _SCORES, "", of_uncertainty.coverage,
        "These rows differ from those behind the thresholds: fit again with rows like "
        "these, as X_val and y_val; until then use a higher confidence_level.",
    ),
    Check(
        "SKD114", "Sets hold the true class equally often in all groups", "medium",
        _SCORES, "", of_uncertainty.group_coverage,
        "The level holds over all rows, not in these groups: use a higher "
        "confidence_level for them, or collect more of their rows and fit again.",
    ),
    Check(
        "SKD115", "Most rows could belong to one class only", "low",
        _UNCERTAIN, "", of_uncertainty.several_classes,
        "Leave these rows to a person (performance.sets has the accuracy on all "
        "others), or add columns that separate their classes.",
    ),
    Check(
        "SKD116", "Members agree about most rows", "low",
        _UNCERTAIN, "", of_uncertainty.members_agree,
        "Another fit may predict other classes for these rows: average more networks "
        "(n_estimators), or train on more rows.",
    ),
    Check(
        "SKD117", "Rows resemble the training rows", "medium",
        _COMPARED, "", of_uncertainty.rows_like_training,
        "Do not rely on predictions and explanations of these rows. "
        "explain.novelty(…).describe(row) names the columns: look for errors of "
        "measurement, or fit again with such rows.",
    ),
)  # fmt: skip
