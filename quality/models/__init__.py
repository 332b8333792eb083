"""Rows of quality: schemes.py (rules), evaluations.py (runs and grades), sampling.py, experts.py, supervision.py (what people do)."""

from quality.models.evaluations import Evaluation, EvaluationRequest, GradeChange, IndicatorScore
from quality.models.experts import Adjudication, EvaluationBody, Expert, ExpertAssignment, ExpertRound, ExpertScore
from quality.models.sampling import AuditItem, LabelAudit, SampleDraw, SampleManifest
from quality.models.schemes import EvaluationScheme, Indicator, Profile
from quality.models.supervision import Case, CaseEvent

__all__ = [
    "Adjudication", "AuditItem", "Case", "CaseEvent", "Evaluation", "EvaluationBody", "EvaluationRequest", "EvaluationScheme", "Expert",
    "ExpertAssignment", "ExpertRound", "ExpertScore", "GradeChange", "Indicator", "IndicatorScore", "LabelAudit", "Profile", "SampleDraw",
    "SampleManifest",
]  # fmt: skip
