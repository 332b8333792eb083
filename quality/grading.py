"""Scores to grade: pure. Weighted total over what is known, bands, floors, assurance and veto caps, confidence, interval."""

from dataclasses import dataclass

from django.utils.translation import gettext_noop as _

from quality.combining import Combined, combine_all, half_width
from quality.indicators.declared import declared_levels, score_of
from quality.indicators.registry import CODES, DIMENSIONS, Measure, Snapshot
from quality.vetoes import DIMENSION_NAMES, cap, floors, vetoes  # noqa: F401  the names are shared

ORDER = "ABCD"
SERIOUS = ("V1", "V2", "V4", "V8")  # named even where the score is no better than they allow


@dataclass(frozen=True)
class Grading:
    raw_score: float
    raw_grade: str  # by the bands alone
    final_grade: str
    caps: tuple  # ({"rule", "grade", "message", "lift"}), the strictest first
    assurance: str
    confidence: float
    dimensions: dict  # {dimension: score or None}
    weights: dict  # after renormalisation, {code: percent of the total}
    measured_weight: int
    combined: dict[str, Combined]
    half_width: float


def weights_of(profile_weights: dict, combined: dict[str, Combined]) -> tuple[dict[str, float], int, int]:
    """({code: share of the total in percent}, nominal weight known, nominal weight not applicable).

    What is 未测 or 不适用 has no part in the total, what is only declared a small one; the rest is stretched to 100.
    """
    nominal = {code: profile_weights.get(code, 0) for code in CODES}
    known = {code: weight * combined[code].known for code, weight in nominal.items() if weight and combined[code].known}
    total = sum(known.values())
    exempt = sum(weight for code, weight in nominal.items() if combined[code].status == "not_applicable")
    return ({code: 100.0 * weight / total for code, weight in known.items()} if total else {}), round(total), exempt


def band(score: float, bands: list[dict]) -> str:
    return next(item["grade"] for item in sorted(bands, key=lambda item: -item["from"]) if score >= item["from"])


def grade(measured: dict[str, Measure], profile_weights: dict, scheme: dict, snapshot: Snapshot, *, seed: int = 0, declared=None) -> Grading:
    """`declared` {indicator: 0–100} stands for the document's own declarations, where they are tried out."""
    opinions = counted(snapshot)
    declared = {code: score_of(levels) for code, levels in declared_levels(snapshot).items()} if declared is None else declared
    combined = combine_all(measured, declared, opinions, scheme, snapshot.inputs.is_sample_drawn)
    weights, known, exempt = weights_of(profile_weights, combined)
    raw = round(sum(combined[code].score * share for code, share in weights.items()) / 100.0, 2)
    dimensions = {name: _dimension(prefix, combined, profile_weights) for prefix, name in DIMENSIONS.items()}
    assurance = assurance_of(measured, opinions, profile_weights, scheme)
    raw_grade = band(raw, scheme["bands"])
    caps = list(vetoes(snapshot, scheme, assurance)) + list(floors(combined, dimensions, weights, scheme, ORDER))
    if exempt > scheme["not_applicable_limit"]:
        message = f"不适用指标的权重 {exempt} 超过 {scheme['not_applicable_limit']}。"
        caps.append(cap(_("不适用"), "C", message, _("换用适合这类数据的权重方案。")))
    caps = [row for row in caps if row["rule"] in SERIOUS or ORDER.index(row["grade"]) > ORDER.index(raw_grade)]
    caps.sort(key=lambda row: (-ORDER.index(row["grade"]), row["rule"]))
    final = max([raw_grade, *(row["grade"] for row in caps)], key=ORDER.index)
    confidence = _confidence(combined, profile_weights)
    width = half_width(combined, weights, seed)
    return Grading(raw, raw_grade, final, tuple(caps), assurance, confidence, dimensions, weights, known, combined, width)


def counted(snapshot: Snapshot) -> tuple:
    """Opinions that count: none of experts once a conflict of interest is found (V8)."""
    void = any(row.rule == "V8" and row.state == "confirmed" for row in snapshot.inputs.rulings)
    return tuple(row for row in snapshot.inputs.opinions if row.indicator in CODES and not (void and row.source == "expert"))


def assurance_of(measured, opinions, profile_weights: dict, scheme: dict) -> str:
    """L0 metadata, L1 a sample, L2 enough experts on enough of the weight, L3 an accredited organisation on the full data."""
    rule = scheme["assurance"]["L2"]
    experts = {row.indicator for row in opinions if row.source == "expert" and int(row.detail.get("experts", row.n)) >= rule.get("experts", 3)}
    if sum(profile_weights.get(code, 0) for code in experts) >= rule.get("weight", 50):
        full = {row.indicator for row in opinions if row.source == "expert" and row.detail.get("full")}
        return "L3" if sum(profile_weights.get(code, 0) for code in full) >= rule.get("weight", 50) else "L2"
    return "L1" if any(row.source == "sample" and row.status == "measured" for row in measured.values()) else "L0"


def _dimension(prefix: str, combined: dict[str, Combined], profile_weights: dict) -> float | None:
    """Over what was measured: declarations alone make no dimension."""
    found = [(row.score, profile_weights.get(code, 0)) for code, row in combined.items() if code.startswith(prefix) and row.status == "measured"]
    total = sum(weight for _score, weight in found)
    return round(sum(score * weight for score, weight in found) / total, 2) if total else None


def _confidence(combined: dict[str, Combined], profile_weights: dict) -> float:
    """Σ weight × what the sources are worth, over all that applies. What is 未测 adds nothing."""
    applicable = sum(profile_weights.get(code, 0) for code in CODES if combined[code].status != "not_applicable")
    got = sum(profile_weights.get(code, 0) * row.worth for code, row in combined.items())
    return round(got / applicable, 3) if applicable else 0.0
