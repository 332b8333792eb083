"""Scores to grade: pure. Weighted total over what was measured, bands, floors, assurance and veto caps, confidence."""

from dataclasses import dataclass

from django.utils.translation import gettext_noop as _

from quality.indicators.documentation import has_licence
from quality.indicators.registry import CODES, DIMENSIONS, Measure, Snapshot

ORDER = "ABCD"
BASIS = {"metadata": "declared", "sample": "sample", "evidence": "evidence", "expert": "expert"}


@dataclass(frozen=True)
class Grading:
    raw_score: float
    raw_grade: str  # by the bands alone
    final_grade: str
    caps: tuple  # ({"rule", "grade", "message"}), the strictest first
    assurance: str
    confidence: float
    dimensions: dict  # {dimension: score or None}
    weights: dict  # after renormalisation, {code: percent of the total}
    measured_weight: int


def weights_of(profile_weights: dict, measured: dict[str, Measure]) -> tuple[dict[str, float], int, int]:
    """({code: share of the total in percent}, nominal weight measured, nominal weight not applicable).

    What is 未测 or 不适用 has no part in the total; the rest is stretched to 100.
    """
    nominal = {code: profile_weights.get(code, 0) for code in CODES}
    known = {code: weight for code, weight in nominal.items() if measured[code].status == "measured" and weight}
    total = sum(known.values())
    exempt = sum(weight for code, weight in nominal.items() if measured[code].status == "not_applicable")
    return ({code: 100.0 * weight / total for code, weight in known.items()} if total else {}), total, exempt


def band(score: float, bands: list[dict]) -> str:
    return next(item["grade"] for item in sorted(bands, key=lambda item: -item["from"]) if score >= item["from"])


def grade(measured: dict[str, Measure], profile_weights: dict, scheme: dict, snapshot: Snapshot) -> Grading:
    weights, known, exempt = weights_of(profile_weights, measured)
    raw = round(sum(measured[code].score * share for code, share in weights.items()) / 100.0, 2)
    dimensions = {name: _dimension(prefix, measured, profile_weights) for prefix, name in DIMENSIONS.items()}
    assurance = "L1" if any(measured[code].source == "sample" for code in weights) else "L0"
    raw_grade = band(raw, scheme["bands"])
    caps = list(_vetoes(snapshot, scheme, assurance)) + list(_floors(raw_grade, measured, dimensions, weights, scheme))
    if exempt > scheme["not_applicable_limit"]:
        caps.append({"rule": _("不适用"), "grade": "C", "message": f"不适用指标的权重 {exempt} 超过 {scheme['not_applicable_limit']}。"})
    caps = [cap for cap in caps if ORDER.index(cap["grade"]) > ORDER.index(raw_grade)]
    caps.sort(key=lambda cap: (-ORDER.index(cap["grade"]), cap["rule"]))
    final = max([raw_grade, *(cap["grade"] for cap in caps)], key=ORDER.index)
    return Grading(raw, raw_grade, final, tuple(caps), assurance, _confidence(measured, profile_weights, scheme), dimensions, weights, known)


def _dimension(prefix: str, measured: dict[str, Measure], profile_weights: dict) -> float | None:
    parts = [
        (measured[code].score, profile_weights.get(code, 0)) for code in CODES if code.startswith(prefix) and measured[code].status == "measured"
    ]
    total = sum(weight for _score, weight in parts)
    return round(sum(score * weight for score, weight in parts) / total, 2) if total else None


def _confidence(measured, profile_weights, scheme) -> float:
    """Σ weight × what the basis is worth: declared, sample, evidence, expert. What is 未测 adds nothing."""
    applicable = sum(profile_weights.get(code, 0) for code in CODES if measured[code].status != "not_applicable")
    worth = scheme["confidence"]
    got = sum(profile_weights.get(code, 0) * worth[BASIS[m.source]] for code, m in measured.items() if m.status == "measured")
    return round(got / 100.0 / applicable, 3) if applicable else 0.0


def _vetoes(snapshot: Snapshot, scheme: dict, assurance: str):
    caps = scheme["caps"]
    risky = [item for profile in snapshot.profiles for item in profile.get("personal_information", []) if item.get("high_risk")]
    if risky:
        places = "、".join(dict.fromkeys(item["column"][:40] for item in risky[:5]))
        yield {"rule": "V1", "grade": caps["V1"]["grade"], "message": f"{caps['V1']['text']}（列：{places}）"}
    broken = sum(not profile.get("readable") for profile in snapshot.profiles)
    if broken * 100 > caps["V2"]["over_percent"] * len(snapshot.profiles):
        yield {"rule": "V2", "grade": caps["V2"]["grade"], "message": f"{caps['V2']['text']}（{broken} / {len(snapshot.profiles)}）"}
    if not has_licence(snapshot.document):
        yield {"rule": "V3", "grade": caps["V3"]["grade"], "message": caps["V3"]["text"]}
    level = scheme["assurance"][assurance]
    text = caps["V7"]["text"] if assurance == "L0" else _("自动评测的等级上限。专家评测之后可以更高。")
    yield {"rule": "V7" if assurance == "L0" else "L1", "grade": level["cap"], "message": f"{assurance} {level['name']}：{text}"}


def _floors(raw_grade: str, measured, dimensions, weights, scheme):
    """A and B also ask for no weak dimension and no weak indicator."""
    for letter in ("A", "B"):
        floor = scheme["floors"][letter]
        below = ORDER[ORDER.index(letter) + 1]
        weak = [name for name, score in dimensions.items() if score is not None and score < floor["dimension"]]
        if weak:
            yield {"rule": f"{letter}-维度", "grade": below, "message": f"{letter} 级要求每个维度不低于 {floor['dimension']} 分：" + "、".join(
                f"{DIMENSION_NAMES[name]} {dimensions[name]:.1f}" for name in weak)}  # fmt: skip
        low = [code for code in weights if measured[code].score < floor["indicator"]]
        if low:
            listed = "、".join(f"{code} {measured[code].score:.1f}" for code in low[:5])
            yield {"rule": f"{letter}-指标", "grade": below, "message": f"{letter} 级要求没有低于 {floor['indicator']} 分的指标：{listed}"}


DIMENSION_NAMES = {"documentation": _("说明文档"), "data_quality": _("数据质量"), "model_application": _("模型应用")}
