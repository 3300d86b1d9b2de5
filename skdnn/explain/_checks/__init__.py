"""Coded checks of results: each fires, stays silent, or does not apply."""

from skdnn.explain._checks import measure
from skdnn.explain._checks.base import Check, CheckInput
from skdnn.explain._checks.run import ALL, run_checks

__all__ = ["ALL", "Check", "CheckInput", "measure", "run_checks"]
