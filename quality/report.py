"""The report of a dataset: one plain value that the page, its JSON twin and the API show alike."""

import orjson
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.forms.steps import place as step_of
from catalog.labels import term_label
from catalog.models import Dataset, Sample
from quality.engine import fixed
from quality.explanations import EFFORTS, RULES, UNPROVEN
from quality.indicators.registry import DIMENSIONS
from quality.models import Evaluation, Indicator
from quality.services.evaluation import latest_run
from quality.services.peers import dimension_median, place, sector_figures
from quality.services.triggers import REASONS, open_reasons
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


def report(dataset: Dataset, run: Evaluation | None = None) -> dict:
    """Everything public about the latest finished run, or the one given, in strings, integers and lists; {"state": "none"} before the first."""
    run = latest_run(dataset) if run is None else run
    base = summary(dataset)
    if run is None:
        return base | {"state": "none"}
    result = orjson.loads(run.result)
    peers = sector_of(dataset)
    return (
        base
        | _head(dataset, run, result, peers)
        | {
            "dimensions": _dimensions(result, peers),
            "indicators": _indicators(result, peers),
            "caps": [told_row(cap) for cap in result["caps"]],
            "advice": [_advised(row) for row in result["advice"]],
            "plan": result.get("plan"),
            "sector": {key: peers[key] for key in ("code", "name", "n", "compared")} | {"has_medians": bool(peers["indicators"])} if peers else None,
            "people": people(result),
            "grades": grades(dataset, run),
            "samples": samples(dataset),
            "trend": trend(dataset),
            "inputs": result["inputs"],
            "libraries": result["libraries"],
        }
    )


def _head(dataset: Dataset, run: Evaluation, result: dict, peers: dict | None) -> dict:
    confidence = int(round(float(run.confidence) * 100))
    levels = run.scheme.content["confidence"]
    word = _("高") if confidence >= levels["high"] else _("低") if confidence < levels["low"] else _("中")
    notices, standing = standing_of(dataset, run)
    return {
        "state": "done",
        "number": run.number,
        "uid": str(run.uid),
        "grade": run.final_grade,
        "raw_grade": run.raw_grade,
        "raw_score": str(run.raw_score),
        "half_width": str(run.half_width) if run.half_width else "",
        "standing": standing,
        "assurance": run.assurance,
        "assurance_name": told(run.scheme.content["assurance"][run.assurance]["name"]),
        "confidence": f"{confidence / 100:.2f}",
        "confidence_word": word,
        "measured_weight": result["measured_weight"],
        "percentile": place(peers["totals"], float(run.raw_score)) if peers else None,
        "documentation_score": run.documentation_score,
        "evaluated_at": timezone.localtime(run.finished_at).isoformat(timespec="seconds"),
        "expires_at": f"{timezone.localtime(run.expires_at):%Y-%m-%d}" if run.expires_at else "",
        "goal": run.get_goal_display(),
        "reasons": reason_words(run.reasons),
        "version": run.version.label or str(run.version.number) if run.version else "",
        "scheme": run.scheme.version,
        "profile": {"code": run.profile.code, "name": told(run.profile.name)},
        "ruleset": result["ruleset"],
        "seed": run.seed,
        "sample": result.get("sample") or {"count": 0, "drawn": False},
        "sha256": run.result_sha256,
        "notices": notices,
    }


def standing_of(dataset: Dataset, run: Evaluation) -> tuple[list[dict], str]:
    """(notices, "" | "stale" | "expired"): V6 the dataset changed since or a re-evaluation is open, V5 the grade ran out."""
    rules, notices, standing = run.scheme.content["caps"], [], ""
    asked = open_reasons(dataset)
    if run.document_hash != dataset.document_hash or asked:
        because = "，".join(reason_words(asked))
        notices.append({"rule": "V6", "message": told(rules["V6"]["text"]), "because": because})
        standing = "stale"
    if run.expires_at and run.expires_at <= timezone.now():
        notices.append({"rule": "V5", "message": told(rules["V5"]["text"]), "because": f"{timezone.localtime(run.expires_at):%Y-%m-%d}"})
        standing = "expired"
    return notices, standing


def reason_words(codes) -> list[str]:
    return [str(REASONS.get(code, code)) for code in codes]


def sector_of(dataset: Dataset) -> dict | None:
    """Figures of the dataset's first sector, None where it names none."""
    code = next((value for value in dataset.sectors or [] if isinstance(value, str)), None)
    if code is None:
        return None
    return sector_figures(code) | {"code": code, "name": term_label("sector", code)}


def _advised(row: dict) -> dict:
    step, anchor = step_of(row["pointer"]) if row["pointer"] else ("", "")
    effort = EFFORTS.get(row.get("effort", ""), "")
    return told_row(row) | {"step": step, "anchor": anchor, "effort_name": str(effort)}


def people(result: dict) -> dict:
    """What experts, users and evidence contributed, apart from each other; counts and spans, no names."""
    rows = result.get("opinions") or []
    experts = [row for row in rows if row["source"] == "expert"]
    values = [float(row["value"]) for row in experts]
    disputed = [row["code"] for row in result["indicators"] if row.get("disputed")]
    alphas = [str(row["detail"]["alpha"]) for row in experts if row["detail"].get("alpha") not in (None, "")]
    return {
        "experts": max([int(row["detail"].get("experts", row["n"])) for row in experts], default=0),
        "indicators": len({row["indicator"] for row in experts}),
        "low": f"{min(values):.1f}" if values else "",
        "high": f"{max(values):.1f}" if values else "",
        "alpha": alphas[0] if alphas else "",
        "opinions": rows,
        "users": max([row["n"] for row in rows if row["source"] == "user"], default=0),
        "evidence": sum(row["n"] for row in rows if row["source"] == "evidence"),
        "disputed": disputed,
        "rulings": result.get("rulings") or [],
    }


def grades(dataset: Dataset, run: Evaluation) -> list[dict]:
    """This portal's grade and, where the national portal decided one, that beside it; the one that stands first."""
    own = {"by": "own", "name": _("本门户评定"), "grade": run.final_grade, "score": str(run.raw_score), "assurance": run.assurance,
           "at": f"{timezone.localtime(run.finished_at):%Y-%m-%d}"}  # fmt: skip
    if dataset.grade_source != Dataset.GradeSource.NATIONAL:
        return [own]
    at = f"{timezone.localtime(dataset.graded_at):%Y-%m-%d}" if dataset.graded_at else ""
    return [{"by": "national", "name": _("国家门户评定"), "grade": dataset.grade, "score": fixed(dataset.score) or "", "assurance": dataset.assurance,
             "at": at}, own]  # fmt: skip


def _dimensions(result: dict, peers: dict | None) -> list[dict]:
    names = {row.code: told(row.name) for row in Indicator.objects.filter(parent__isnull=True)}
    out = []
    for prefix, code in DIMENSIONS.items():
        rows = [row for row in result["indicators"] if row["code"].startswith(prefix)]
        done = sum(row["status"] == "measured" for row in rows)
        weights = {row["code"]: row["weight"] for row in rows}
        out.append({"code": code, "name": names.get(code, code), "score": result["dimensions"][code], "measured": done, "of": len(rows),
                    "weight": sum(weights.values()), "declared": sum(row["status"] == "declared" for row in rows),
                    "median": dimension_median(peers["indicators"], weights, prefix) if peers else None})  # fmt: skip
    return out


def _indicators(result: dict, peers: dict | None) -> list[dict]:
    names = {row.code: row for row in Indicator.objects.filter(parent__isnull=False)}
    medians = peers["indicators"] if peers else {}
    return [
        row | {"name": told(names[row["code"]].name), "definition": names[row["code"]].definition, "dimension": DIMENSIONS[row["code"][:2]],
               "evidence": [told_row(item) for item in row["evidence"]], "median": medians.get(row["code"]),
               "source_name": " ".join(dict.fromkeys(str(SOURCES.get(item["source"], item["source"])) for item in row.get("sources") or [])),
               "formula": str(RULES[row["code"]]), "unproven": str(UNPROVEN[row["code"]])}
        for row in result["indicators"]
    ]  # fmt: skip


def samples(dataset: Dataset) -> list[dict]:
    """Profiles of the samples that may be shown."""
    rows = [sample for sample in dataset.samples.all() if sample.state == Sample.State.READY and isinstance(sample.profile, dict) and sample.profile]
    return [{"uid": str(sample.uid), "name": sample.name, "profile": sample.profile} for sample in rows]


def trend(dataset: Dataset) -> list[dict]:
    """Finished runs, oldest first, at most the last twelve that differ."""
    rows = []
    found = dataset.evaluations.filter(state=Evaluation.State.DONE).select_related("scheme", "version").defer("result", "scheme__content")
    for run in found.order_by("-id")[:60]:
        point = {
            "uid": str(run.uid),
            "number": run.number,
            "version": run.version.label or str(run.version.number) if run.version else "",
            "reasons": reason_words(run.reasons),
            "assurance": run.assurance,
            "at": f"{timezone.localtime(run.finished_at):%Y-%m-%d}",
            "score": str(run.raw_score),
            "grade": run.final_grade,
            "scheme": run.scheme.version,
        }
        same = rows and all(rows[-1][key] == point[key] for key in ("score", "grade", "scheme", "version"))
        if same:
            rows[-1] = point  # the first of equal runs is when the score came about
        else:
            rows.append(point)
    return rows[:12][::-1]
