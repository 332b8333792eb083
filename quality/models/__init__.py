"""Rows of quality: schemes.py (rules), evaluations.py (runs and grades)."""

from quality.models.evaluations import Evaluation, GradeChange, IndicatorScore
from quality.models.schemes import EvaluationScheme, Indicator, Profile

__all__ = ["Evaluation", "EvaluationScheme", "GradeChange", "Indicator", "IndicatorScore", "Profile"]
