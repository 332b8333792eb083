"""The league of grades: by portal, sector and organisation, and which documentation item would help most datasets most.

Counts come from the same rows that search shows everybody, so the two agree; they are worked out once per state of the catalogue.
"""

from collections import Counter, defaultdict
from datetime import timedelta

from django.conf import settings
from django.core.cache import cache
from django.db.models import Case, F, FloatField, Max, Q, Sum, Value, When
from django.utils import timezone

from catalog.models import Dataset, Organization, Portal
from catalog.search.query import MISSING
from quality.indicators.documentation import ITEMS, VALID
from quality.models import Evaluation, GradeChange, IndicatorScore
from quality.services.schemes import active_scheme

KEEP = 3600
RECENT = timedelta(days=90)
LONGEST = 30  # rows of a league; the others are told as a number
FIXES = 6
LETTERS = ("A", "B", "C", "D", "none")


def overview() -> dict:
    """{"total", "graded", "grades", "mean", "portals", "sectors", "organizations", "fixes"} in plain values."""
    state = Dataset.objects.aggregate(serial=Max("serial"))["serial"], Evaluation.objects.aggregate(last=Max("pk"))["last"]
    return cache.get_or_set(f"quality.overview/1:{settings.PORTAL_ID}:{state[0]}:{state[1]}", _overview, KEEP)


def _overview() -> dict:
    moves = recent_moves()
    groups: dict[str, dict] = {"portals": {}, "sectors": {}, "organizations": {}}
    everything = _empty()
    rows = Dataset.objects.published().values_list("pk", "grade", "score", "home_portal", "organization", "sectors")
    for pk, grade, score, portal, organization, sectors in rows.iterator(chunk_size=5000):
        named = [value for value in sectors or [] if isinstance(value, str)]
        keys = [("portals", portal), ("organizations", organization), *(("sectors", code) for code in dict.fromkeys(named))]
        _add(everything, grade, score, moves.get(pk))
        for kind, key in keys:
            _add(groups[kind].setdefault(key, _empty()), grade, score, moves.get(pk))
    return {
        **_row(everything),
        "portals": _league(groups["portals"], dict(Portal.objects.values_list("pk", "name"))),
        "sectors": _league(groups["sectors"], {}),
        "organizations": _league(groups["organizations"], _organizations(groups["organizations"])),
        "others": {kind: max(0, len(found) - LONGEST) for kind, found in groups.items()},
        "fixes": fixes(),
    }


def _empty() -> dict:
    return {"total": 0, "sum": 0.0, "scored": 0, "grades": Counter(), "up": 0, "down": 0}


def _add(group: dict, grade: str, score, move) -> None:
    group["total"] += 1
    group["grades"][grade or "none"] += 1
    if score is not None:
        group["sum"] += float(score)
        group["scored"] += 1
    if move:
        group["up" if move > 0 else "down"] += 1


def _row(group: dict) -> dict:
    grades = [{"grade": letter, "facet": letter if letter in "ABCD" else MISSING, "count": group["grades"].get(letter, 0)} for letter in LETTERS]
    x = 0.0
    for part in grades:
        width = 100.0 * part["count"] / group["total"] if group["total"] else 0.0
        part |= {"x": f"{x:.2f}", "w": f"{width:.2f}"}
        x += width
    mean = group["sum"] / group["scored"] if group["scored"] else None
    return {"total": group["total"], "graded": group["total"] - group["grades"].get("none", 0), "grades": grades, "up": group["up"],
            "down": group["down"], "mean": None if mean is None else f"{mean:.1f}"}  # fmt: skip


def _league(found: dict, names: dict) -> list[dict]:
    rows = [_row(group) | {"key": str(key), "name": str(names.get(key, key))} for key, group in found.items()]
    rows.sort(key=lambda row: (-(float(row["mean"]) if row["mean"] else -1.0), -row["total"], row["name"]))
    return rows[:LONGEST]


def _organizations(found: dict) -> dict:
    return dict(Organization.objects.filter(pk__in=list(found)[:20_000]).values_list("pk", "name"))


def recent_moves() -> dict[int, int]:
    """{dataset: +1 or −1} of those whose letter is better or worse than 90 days ago."""
    first: dict[int, str] = {}
    last: dict[int, str] = {}
    changes = GradeChange.objects.filter(at__gte=timezone.now() - RECENT).exclude(before="").order_by("id")
    for dataset, before, after in changes.values_list("dataset", "before", "after"):
        first.setdefault(dataset, before)
        last[dataset] = after
    return {pk: 1 if last[pk] < before else -1 for pk, before in first.items() if last[pk] and last[pk] != before}


def fixes() -> list[dict]:
    """Items that are missing in many listings: [{"item", "label", "indicator", "datasets", "points", "sum"}], most points together first."""
    last = Evaluation.objects.filter(state=Evaluation.State.DONE, dataset__in=Dataset.objects.own().filter(status=Dataset.Status.LISTED))
    runs = last.order_by().values("dataset").annotate(last=Max("pk")).values("last")
    scores = IndicatorScore.objects.filter(evaluation__in=runs).order_by()
    declared = [When(indicator__code=code, then=Value(percent / 100.0)) for code, percent in active_scheme().content.get("declared", {}).items()]
    part = Case(*declared, default=Value(0.0), output_field=FloatField()) if declared else Value(0.0)
    known = scores.values("evaluation").annotate(
        known=Sum(Case(When(status="measured", then=F("weight") * Value(1.0)), When(status="declared", then=F("weight") * part),
                       default=Value(0.0), output_field=FloatField()))
    )  # fmt: skip
    totals = {row["evaluation"]: row["known"] for row in known}
    counts, points = Counter(), defaultdict(float)
    documented = scores.filter(Q(indicator__code__startswith="01"), status="measured").values_list("evaluation", "weight", "value")
    for evaluation, weight, value in documented.iterator(chunk_size=5000):
        for name, level in (value.get("items") or {}).items():
            if level < VALID and totals.get(evaluation):
                counts[name] += 1
                points[name] += 100.0 * weight / totals[evaluation] * (VALID - level) / (VALID * 5)
    labels = {item.name: item for item in ITEMS}
    order = sorted((name for name in counts if name in labels), key=lambda name: (-points[name], name))[:FIXES]
    return [{"item": name, "label": labels[name].label, "indicator": labels[name].indicator, "message": labels[name].advice,
             "effort": labels[name].effort, "datasets": counts[name], "points": f"{points[name] / counts[name]:.1f}"} for name in order]  # fmt: skip
