"""What would raise a grade, by points of the total, and what the first steps together would reach. Pure."""

from dataclasses import replace

from django.utils.translation import gettext_noop as _

from quality.grading import Grading, grade
from quality.indicators.declared import DECLARED, declared_levels, score_of
from quality.indicators.documentation import ITEMS, VALID, Item, judge_all
from quality.indicators.registry import Measure, Snapshot

TARGET = 90.0  # where a measured indicator is good enough to go on with others
STEPS = 3  # how many the report tries out together
SAMPLE = _("上传样例文件；数据质量由此测出，等级上限由 C 提到 B。")
EXPERTS = _("申请专家评测；三名以上专家评分后，等级上限由 B 提到 A。")
REPAIR = _("按下面的证据修正样例所在的数据，重新上传样例。")
CAUSES = {"licence": "V3", "origin_stated": "V4", "samples": "V7", "experts": "L1"}  # item: the limit that goes with it


def levels_of(snapshot: Snapshot) -> dict[str, int]:
    """{item: half points} of the 20 items and of the declarations about the data."""
    found = judge_all(snapshot)
    for levels in declared_levels(snapshot).values():
        found |= levels
    return found


def _size(item: Item) -> int:
    return sum(other.indicator == item.indicator for other in (DECLARED if item in DECLARED else ITEMS))


def gain(item: Item, level: int, grading: Grading) -> float:
    """Points of the total that the item could still add."""
    combined = grading.combined[item.indicator]
    part = combined.declared_part if item in DECLARED else _documentation_part(item.indicator, grading)
    return grading.weights.get(item.indicator, 0.0) * part * (VALID - level) / (VALID * _size(item))


def _documentation_part(code: str, grading: Grading) -> float:
    shares = [int(row["share"]) for row in grading.combined[code].sources if row["source"] == "metadata"]
    return shares[0] / 100.0 if shares else 0.0


def advice(snapshot: Snapshot, grading: Grading, scheme: dict, levels: dict[str, int] | None = None) -> list[dict]:
    """[{"item", "field", "indicator", "pointer", "points", "message", "effort", "kind", "lifts"}], the most points first.

    kind: field (of the listing), sample, data (in the sample), people. Points "0.00" mark what only lifts a limit.
    """
    levels = levels_of(snapshot) if levels is None else levels
    limits = {row["rule"] for row in grading.caps}
    out = []
    for item in (*ITEMS, *DECLARED):
        points = gain(item, levels[item.name], grading)
        if round(points, 2) > 0:
            out.append(_row(item.name, item.label, item.indicator, item.pointer, points, item.advice, item.effort, "field", limits))
    for code, combined in sorted(grading.combined.items()):
        if combined.automatic_part and combined.score is not None and combined.score < TARGET:
            points = grading.weights.get(code, 0.0) * combined.automatic_part * (TARGET - _own(combined)) / 100.0
            if round(points, 2) > 0:
                out.append(_row(f"sample-{code}", _("样例中的问题"), code, "/samples", points, REPAIR, "day", "data", limits))
    if not snapshot.profiles:
        out.append(_row("samples", _("样例"), "0201", "/samples", 0.0, SAMPLE, "day", "sample", limits))
    elif grading.assurance == "L1":
        out.append(_row("experts", _("专家评测"), "0207", "", 0.0, EXPERTS, "weeks", "people", limits))
    return sorted(out, key=lambda row: -float(row["points"]))


def _own(combined) -> float:
    return next(float(row["score"]) for row in combined.sources if row["source"] == "sample")


def _row(item, field, indicator, pointer, points, message, effort, kind, limits) -> dict:
    cause = CAUSES.get(item, "")
    return {"item": item, "field": field, "indicator": indicator, "pointer": pointer, "points": f"{points:.2f}", "message": message,
            "effort": effort, "kind": kind, "lifts": cause if cause in limits else ""}  # fmt: skip


def after(rows: list[dict], snapshot: Snapshot, measured: dict[str, Measure], weights: dict, scheme: dict) -> Grading:
    """The grading as it would be with these rows of advice done: graded anew, with all limits but those they lift."""
    names = {row["item"] for row in rows}
    levels = {name: VALID if name in names else level for name, level in levels_of(snapshot).items()}
    better = dict(measured)
    for code in {item.indicator for item in ITEMS if item.name in names}:
        own = [levels[item.name] for item in ITEMS if item.indicator == code]
        better[code] = replace(measured[code], score=100.0 * sum(own) / (VALID * len(own)))
    for name in names:
        if name.startswith("sample-"):
            better[name[7:]] = replace(measured[name[7:]], score=TARGET, low=None, high=None)
    declared: dict[str, dict[str, int]] = {}
    for item in DECLARED:
        declared.setdefault(item.indicator, {})[item.name] = levels[item.name]
    document = dict(snapshot.document)
    if "licence" in names:
        document["license_type"] = document.get("license_type") or "licence"
    if "origin_stated" in names and document.get("collection_method"):
        document["synthetic_method"] = document.get("synthetic_method") or "stated"
    declarations = {code: score_of(found) for code, found in declared.items()}
    return grade(better, weights, scheme, replace(snapshot, document=document), declared=declarations)


def plan(rows: list[dict], snapshot: Snapshot, measured: dict[str, Measure], weights: dict, scheme: dict, grading: Grading) -> dict | None:
    """{"steps", "before", "after", "grade_before", "grade_after"} of the first steps that add points; None where there are none."""
    chosen = [row for row in rows if float(row["points"]) > 0][:STEPS]
    if not chosen:
        return None
    reached = after(chosen, snapshot, measured, weights, scheme)
    return {"steps": len(chosen), "before": f"{grading.raw_score:.2f}", "after": f"{reached.raw_score:.2f}",
            "grade_before": grading.final_grade, "grade_after": reached.final_grade}  # fmt: skip
