"""The report of a dataset: one plain value that the page, its JSON twin and the API show alike."""

import math

import orjson
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.models import Dataset, Sample
from quality.engine import fixed
from quality.indicators.registry import DIMENSIONS
from quality.models import Evaluation, Indicator
from quality.services.evaluation import latest_run
from quality.words import told, told_row

SOURCES = {
    "metadata": gettext_lazy("元数据"),
    "sample": gettext_lazy("样例"),
    "evidence": gettext_lazy("证据"),
    "expert": gettext_lazy("专家"),
    "user": gettext_lazy("用户"),
}


def summary(dataset: Dataset) -> dict:
    """What of a report anybody may read, also of important data, whose evidence stays with the provider and reviewers."""
    named = {"uid": str(dataset.uid), "identifier": dataset.identifier, "title": dataset.title}
    published = {"grade": dataset.grade, "score": fixed(dataset.score), "assurance": dataset.assurance, "source": dataset.grade_source}
    return {"schema": "quality-report/1", "state": "withheld", "dataset": named, "published": published}


def report(dataset: Dataset) -> dict:
    """Everything public about the latest finished run, in strings, integers and lists; {"state": "none"} before the first."""
    run = latest_run(dataset)
    base = summary(dataset)
    if run is None:
        return base | {"state": "none"}
    result = orjson.loads(run.result)
    return (
        base
        | _head(dataset, run, result)
        | {
            "dimensions": _dimensions(result),
            "indicators": _indicators(result),
            "caps": [told_row(cap) for cap in result["caps"]],
            "advice": [told_row(row) for row in result["advice"]],
            "samples": samples(dataset),
            "trend": trend(dataset),
            "inputs": result["inputs"],
            "libraries": result["libraries"],
        }
    )


def _head(dataset: Dataset, run: Evaluation, result: dict) -> dict:
    notices = []
    if run.document_hash != dataset.document_hash:
        notices.append({"rule": "V6", "message": told(run.scheme.content["caps"]["V6"]["text"])})
    months = run.scheme.content["caps"]["V5"]["months"]
    if (timezone.now() - run.finished_at).days > months * 30.5:
        notices.append({"rule": "V5", "message": told(run.scheme.content["caps"]["V5"]["text"])})
    confidence = int(round(float(run.confidence) * 100))
    levels = run.scheme.content["confidence"]
    word = _("高") if confidence >= levels["high"] else _("低") if confidence < levels["low"] else _("中")
    return {
        "state": "done",
        "number": run.number,
        "uid": str(run.uid),
        "grade": run.final_grade,
        "raw_grade": run.raw_grade,
        "raw_score": str(run.raw_score),
        "assurance": run.assurance,
        "assurance_name": told(run.scheme.content["assurance"][run.assurance]["name"]),
        "confidence": f"{confidence / 100:.2f}",
        "confidence_word": word,
        "measured_weight": result["measured_weight"],
        "documentation_score": run.documentation_score,
        "evaluated_at": timezone.localtime(run.finished_at).isoformat(timespec="seconds"),
        "goal": run.get_goal_display(),
        "scheme": run.scheme.version,
        "profile": {"code": run.profile.code, "name": told(run.profile.name)},
        "ruleset": result["ruleset"],
        "sha256": run.result_sha256,
        "notices": notices,
    }


def _dimensions(result: dict) -> list[dict]:
    names = {row.code: told(row.name) for row in Indicator.objects.filter(parent__isnull=True)}
    out = []
    for prefix, code in DIMENSIONS.items():
        rows = [row for row in result["indicators"] if row["code"].startswith(prefix)]
        done = sum(row["status"] == "measured" for row in rows)
        out.append({"code": code, "name": names.get(code, code), "score": result["dimensions"][code], "measured": done, "of": len(rows),
                    "weight": sum(row["weight"] for row in rows)})  # fmt: skip
    return out


def _indicators(result: dict) -> list[dict]:
    names = {row.code: row for row in Indicator.objects.filter(parent__isnull=False)}
    return [
        row | {"name": told(names[row["code"]].name), "definition": names[row["code"]].definition, "dimension": DIMENSIONS[row["code"][:2]],
               "evidence": [told_row(item) for item in row["evidence"]], "source_name": str(SOURCES.get(row["source"], ""))}
        for row in result["indicators"]
    ]  # fmt: skip


def samples(dataset: Dataset) -> list[dict]:
    """Profiles of the samples that may be shown."""
    rows = [sample for sample in dataset.samples.all() if sample.state == Sample.State.READY and isinstance(sample.profile, dict) and sample.profile]
    return [{"uid": str(sample.uid), "name": sample.name, "profile": sample.profile} for sample in rows]


def trend(dataset: Dataset) -> list[dict]:
    """Finished runs, oldest first, at most the last twelve that differ."""
    rows = []
    for run in dataset.evaluations.filter(state=Evaluation.State.DONE).select_related("scheme").order_by("-id")[:60]:
        point = {
            "at": f"{timezone.localtime(run.finished_at):%Y-%m-%d}",
            "score": str(run.raw_score),
            "grade": run.final_grade,
            "scheme": run.scheme.version,
        }
        if not rows or rows[-1]["score"] != point["score"] or rows[-1]["scheme"] != point["scheme"]:
            rows.append(point)
    return rows[:12][::-1]


# --- drawing: coordinates for the templates' SVG -------------------------------------------------

CENTRE, RADIUS = 210.0, 130.0


def wheel(indicators: list[dict]) -> dict:
    """Shapes of the wheel: one sector per indicator, as long as its score, hatched to the edge where it is 未测 or 不适用."""
    half = math.pi / len(indicators)
    spokes, voids, wedges, labels = [], [], [], []
    for position, row in enumerate(indicators):
        angle = 2 * half * (position + 0.5) - math.pi / 2
        spokes.append(f"M{CENTRE:g} {CENTRE:g}L{_at(angle - half, RADIUS)}")
        x, y = _xy(angle, RADIUS + 18)
        labels.append({"x": f"{x:.1f}", "y": f"{y + 4.5:.1f}", "text": row["code"]})
        if row["status"] == "measured":
            score = float(row["score"])
            wedges.append({"path": _sector(angle, half * 0.86, RADIUS * score / 100), "low": score < 60})
        else:
            voids.append(_sector(angle, half * 0.86, RADIUS))
    rings = [f"{RADIUS * part / 5:g}" for part in range(1, 5)]
    return {"spokes": "".join(spokes), "voids": voids, "wedges": wedges, "labels": labels, "rings": rings, "edge": f"{RADIUS:g}"}


def _sector(angle: float, half: float, radius: float) -> str:
    return f"M{CENTRE:g} {CENTRE:g}L{_at(angle - half, radius)}A{radius:.1f} {radius:.1f} 0 0 1 {_at(angle + half, radius)}Z"


def _xy(angle: float, radius: float) -> tuple[float, float]:
    return CENTRE + radius * math.cos(angle), CENTRE + radius * math.sin(angle)


def _at(angle: float, radius: float) -> str:
    return "{:.1f} {:.1f}".format(*_xy(angle, radius))


def chart(points: list[dict]) -> dict:
    """The trend as SVG coordinates in a 560 × 210 box, 0–100 from y 176 to 22."""
    step = 440 / max(1, len(points) - 1)
    out = []
    for position, point in enumerate(points):
        x, y = 78 + step * position, 176 - 1.54 * float(point["score"])
        out.append(point | {"x": f"{x:.1f}", "y": f"{y:.1f}", "label_y": f"{max(14.0, y - 10):.1f}"})
    return {"points": out, "line": "M" + " ".join(f"{point['x']} {point['y']}" for point in out) if out else ""}


def histogram(column: dict) -> list[dict]:
    """Bars in a 100 × 30 box."""
    bars = column.get("histogram") or []
    top = max([bar["count"] for bar in bars], default=0)
    if not top:
        return []
    width = 100 / len(bars)
    heights = [30 * bar["count"] / top for bar in bars]
    return [
        {"x": f"{position * width:.2f}", "w": f"{width * 0.86:.2f}", "h": f"{height:.2f}", "y": f"{30 - height:.2f}"}
        for position, height in enumerate(heights)
    ]
