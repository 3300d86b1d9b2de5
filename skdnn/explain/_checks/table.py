"""The checks, in the order of their codes. A code never changes its meaning."""

from skdnn.explain._checks import of_measurements, of_result
from skdnn.explain._checks.check import Check
from skdnn.explain._results.attributions import Attributions
from skdnn.explain._results.counterfactuals import Counterfactuals
from skdnn.explain._results.profiles import Profiles
from skdnn.explain._results.tables import ResultTable

# the result types that a check applies to, with their names in sentences
_ROWS: dict[type, str] = {Attributions: "attributions"}
_CURVES: dict[type, str] = {Profiles: "profiles"}
_RANKED = _ROWS | {ResultTable: "importance"}
_WITH_BACKGROUND = _ROWS | _CURVES | {Counterfactuals: "counterfactuals"}

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
)  # fmt: skip
