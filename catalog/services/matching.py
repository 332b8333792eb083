"""Which published datasets fit a demand, and why: candidates from search, points from what both sides state.

Points: sector 30, modality 25, each for the share of what is wanted; keywords of the dataset in the demand's words 10 each up to 30;
near in the index 10; same province 10; large enough 5; grade A or B 5. A match has at least ENOUGH and a sector or words in common.
"""

from django.db import transaction
from django.utils.translation import gettext as _

from catalog import jobs
from catalog.models import Dataset, Demand, Job, Match, Notification, SearchState
from catalog.search.backends import get_backend
from catalog.search.query import SearchQuery
from catalog.search.text import fold

ONE, ALL = "demand.match", "demand.match_all"
ENOUGH = 50
KEPT = 20  # matches of a demand
LOOKED_AT = 100  # candidates
PLAIN = ("示例", "example")  # keywords that tell nothing of the content


def ask(demand: Demand) -> None:
    """In the transaction that changed the demand: its matches are worked out anew."""
    jobs.enqueue(ONE, {"demand": demand.pk}, key=f"{ONE}:{demand.pk}")


def ask_all() -> bool:
    """From the clock: every open demand, when the catalogue has changed since the last time."""
    version = SearchState.objects.filter(id=1).values_list("version", flat=True).first() or 0
    last = Job.objects.filter(kind=ALL, state="done").order_by("-id").values_list("result", flat=True).first() or {}
    if last.get("version") == version or not Demand.objects.filter(state__in=Demand.OPEN).exists():
        return False
    jobs.enqueue(ALL, key=ALL)
    return True


@jobs.job_handler(ONE)
def match_one(job) -> dict:
    return {"matches": match_demand(job.payload["demand"])}


@jobs.job_handler(ALL)
def match_all(job) -> dict:
    version = SearchState.objects.filter(id=1).values_list("version", flat=True).first() or 0
    pks = list(Demand.objects.filter(state__in=Demand.OPEN).order_by("pk").values_list("pk", flat=True))
    for done, pk in enumerate(pks):
        match_demand(pk)
        jobs.progress(job, done + 1, len(pks))
    return {"demands": len(pks), "version": version}


def match_demand(pk: int) -> int:
    """Rows of Match as they are now; what is new is told to the author and to the providers. Number of matches."""
    demand = Demand.objects.filter(pk=pk, state__in=Demand.OPEN).first()
    if demand is None:
        return 0
    found = best(demand)
    with transaction.atomic():
        demand = Demand.objects.select_for_update().filter(pk=pk, state__in=Demand.OPEN).first()
        if demand is None:
            return 0
        known = set(demand.matches.values_list("dataset_id", flat=True))
        demand.matches.exclude(dataset__in=[dataset.pk for dataset, _score, _reasons in found]).delete()
        for dataset, score, reasons in found:
            Match.objects.update_or_create(demand=demand, dataset=dataset, defaults={"score": score, "reasons": reasons})
        wanted = Demand.State.MATCHED if found else Demand.State.PUBLISHED
        if demand.state in (Demand.State.PUBLISHED, Demand.State.MATCHED) and demand.state != wanted:
            Demand.objects.filter(pk=pk).update(state=wanted)
        _tell(demand, [dataset for dataset, _score, _reasons in found if dataset.pk not in known])
    return len(found)


def best(demand: Demand) -> list[tuple[Dataset, int, list[dict]]]:
    """(dataset, points, reasons) of the best, most points first."""
    near = get_backend().nearest(f"{demand.title} {demand.content}"[:300], limit=LOOKED_AT // 2)
    rows = Dataset.objects.filter(pk__in=[*near, *_alike(demand)]).published().select_related("organization")
    words = fold(" ".join([demand.title, demand.scope, demand.content, demand.quality]))
    judged = [(row, *judge(demand, words, row, row.pk in near)) for row in rows if row.organization_id != demand.organization_id]
    kept = [item for item in judged if item[1] >= ENOUGH and {"sector", "keyword"} & {reason["kind"] for reason in item[2]}]
    return sorted(kept, key=lambda item: (-item[1], item[0].pk))[:KEPT]


def _alike(demand: Demand) -> list[int]:
    """Candidates by what can be filtered; those with fewer things in common only where there are none with more."""
    wanted = {"sector": demand.sectors, "modality": demand.modalities}
    filters = {name: tuple(codes) for name, codes in wanted.items() if codes}
    return get_backend().search(SearchQuery(filters=filters, sort="grade", limit=LOOKED_AT, facets=())).ids if filters else []


def judge(demand: Demand, words: str, row: Dataset, is_near: bool) -> tuple[int, list[dict]]:
    points, reasons = 0.0, []
    for kind, wanted, there, most in (("sector", demand.sectors, row.sectors, 30), ("modality", demand.modalities, row.modalities, 25)):
        shared = [code for code in wanted if code in there]
        if shared:
            points += most * len(shared) / len(wanted)
            reasons.append({"kind": kind, "values": shared})
    keywords = [word for word in row.keywords if isinstance(word, str) and len(word) > 1 and word not in PLAIN and fold(word) in words]
    if row.security_level == Dataset.SecurityLevel.GENERAL and keywords:
        points += min(10 * len(keywords), 30)
        reasons.append({"kind": "keyword", "values": keywords[:5]})
    if is_near:
        points += 10
        reasons.append({"kind": "near", "values": []})
    if demand.region and row.region[:2] == demand.region[:2]:
        points += 10
        reasons.append({"kind": "region", "values": [f"{demand.region[:2]}0000"]})
    if row.security_level == Dataset.SecurityLevel.GENERAL and demand.record_count and (row.record_count or 0) >= demand.record_count:
        points += 5
        reasons.append({"kind": "scale", "values": []})
    if row.grade in ("A", "B"):
        points += 5
        reasons.append({"kind": "grade", "values": [row.grade]})
    return round(points), reasons


def _tell(demand: Demand, fresh: list[Dataset]) -> None:
    if not fresh:
        return
    url, rows = demand.get_absolute_url(), []
    text = _("需求“%(title)s”有 %(count)d 个新匹配的数据集") % {"title": demand.title, "count": len(fresh)}
    if demand.author_id:
        rows.append(Notification(user_id=demand.author_id, kind="demand.matched", text=text[:500], url=url))
    providers = {dataset.organization for dataset in fresh if not dataset.is_remote}
    for organization in providers:
        people = organization.memberships.exclude(role="viewer").exclude(user=demand.author_id).values_list("user_id", flat=True)
        text = _("需求“%(title)s”与“%(name)s”的数据集匹配") % {"title": demand.title, "name": organization.name}
        rows += [Notification(user_id=pk, kind="demand.for_you", text=text[:500], url=url) for pk in people]
    Notification.objects.bulk_create(rows)
