"""Coded checks of results: each fires, stays silent, or does not apply.

`table` lists them; `run` measures with the classifier what they need, and runs them,
registered for all results.
"""

from skdnn.explain._checks.check import Check, Measurements
from skdnn.explain._checks.run import measure, run_checks, suspicious_columns
from skdnn.explain._checks.table import CHECKS

__all__ = [
    "CHECKS",
    "Check",
    "Measurements",
    "measure",
    "run_checks",
    "suspicious_columns",
]
