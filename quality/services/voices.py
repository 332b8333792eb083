"""What people said of a dataset, as the scoring asks for it (quality/services/inputs.py): experts, label audits, users; and drawn samples."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta

from django.db import connection
from django.db.models import Avg, Prefetch
from django.utils import timezone

from catalog.models import AccessRequest, Dataset, DownloadEvent, Feedback, Sample
from quality.models import Adjudication, ExpertAssignment, ExpertRound, LabelAudit, SampleDraw
from quality.opinions import Opinion
from quality.panel import acceptance, users
from quality.services.inputs import provides
from quality.services.rounds import samples_hash
from quality.services.schemes import active_scheme

VALID = timedelta(days=366)  # an opinion older than that says nothing of today (V5)


@provides
def experts(datasets: Sequence[Dataset]) -> dict[int, list]:
    """Of the latest round that counts. What it says of the documents holds for the document it saw, what it says of the data for the samples.

    An indicator whose adjudication is open has no opinion yet. A label audit speaks for 0304 in place of the round."""
    found: dict[int, list] = {}
    table = {dataset.pk: dataset for dataset in datasets}
    for row in _latest_rounds(table):
        dataset = table[row.dataset_id]
        opinions = {opinion.indicator: opinion for opinion in _of_round(row, dataset)}
        found[row.dataset_id] = list(opinions.values())
    for pk, audit in _audits(table).items():
        rest = [opinion for opinion in found.get(pk, []) if opinion.indicator != "0304"]
        raters = max((opinion.detail["experts"] for opinion in rest), default=0)
        found[pk] = [*rest, _of_audit(audit, raters)]
    return found


def _latest_rounds(table: dict) -> list[ExpertRound]:
    rows = ExpertRound.objects.filter(dataset__in=table, state=ExpertRound.State.CLOSED, counts=True, closed_at__gte=timezone.now() - VALID)
    rows = rows.select_related("body").prefetch_related("adjudications", Prefetch("assignments", ExpertAssignment.objects.filter(state="submitted")))
    latest: dict[int, ExpertRound] = {}
    for row in rows.order_by("closed_at", "id"):
        latest[row.dataset_id] = row
    return list(latest.values())


def _of_round(row: ExpertRound, dataset: Dataset):
    decided = {one.indicator: one for one in row.adjudications.all()}
    same_document, same_samples = row.document_hash == dataset.document_hash, row.samples_hash == samples_hash(dataset)
    full = row.is_full_data and row.body is not None and row.body.is_valid and row.body.is_accredited
    for code, value in row.result.items():
        ruling = decided.get(code)
        if not (same_document if code.startswith("01") else same_samples) or (ruling and ruling.state == Adjudication.State.OPEN):
            continue
        number = float(ruling.value if ruling else value["value"])
        detail = {"experts": value["n"], "round": row.number, "method": value["method"], "automatic": row.automatic.get(code, "")}
        if full:
            detail["full"] = True
        if ruling:
            detail |= {"adjudicated": ruling.choice, "scored": value["value"]}
        yield Opinion("expert", code, number, value["n"], (float(value["low"]), float(value["high"])), detail)


def _audits(table: dict) -> dict[int, LabelAudit]:
    """The latest decided audit of each dataset whose sample is still there."""
    ended = [LabelAudit.State.ACCEPTED, LabelAudit.State.REJECTED]
    rows = LabelAudit.objects.filter(dataset__in=table, state__in=ended, decided_at__gte=timezone.now() - VALID).order_by("decided_at", "id")
    hashes = set(Sample.objects.filter(dataset__in=table).values_list("dataset_id", "sha256"))
    return {row.dataset_id: row for row in rows if (row.dataset_id, row.source_sha256) in hashes}


def _of_audit(row: LabelAudit, raters: int) -> Opinion:
    found = row.result
    detail = {"experts": max(raters, found["auditors"]), "audit": str(row.uid), "right": found["right"], "wrong": found["wrong"],
              "unsure": found["unsure"], "accuracy": found["accuracy"], "low": found["low"]}  # fmt: skip
    high = round(acceptance.points(float(found["high"])), 2)
    return Opinion("expert", "0304", float(found["score"]), found["n"], (float(found["score"]), high), detail)


@provides
def recipients(datasets: Sequence[Dataset]) -> dict[int, list]:
    """Ratings of verified recipients, from ten on, held by ten pseudo-votes at the sector's mean: one value for every indicator
    that users have a share in."""
    codes = [code for code, shares in active_scheme().content["shares"].items() if shares[2]]
    ratings, means = ratings_of(datasets), {}
    found = {}
    for dataset in datasets:
        counted = users.counted(ratings.get(dataset.pk, []), dataset.organization_id)
        if len(counted) < users.LEAST:
            continue
        sector = dataset.sectors[0] if dataset.sectors else ""
        if sector not in means:
            means[sector] = sector_mean(sector)
        mean = users.bayesian([one.stars for one in counted], means[sector])
        detail = {"mean": f"{mean:.2f}", "counted": len(counted), "given": len(ratings[dataset.pk])}
        found[dataset.pk] = [Opinion("user", code, users.points(mean), len(counted), None, detail) for code in codes]
    return found


def ratings_of(datasets: Sequence[Dataset]) -> dict[int, list[users.Rating]]:
    rated = Feedback.objects.filter(dataset__in=datasets, kind="rating", rating__isnull=False)
    rows = list(rated.select_related("author").prefetch_related("author__memberships"))
    if not rows:
        return {}
    delivered = deliveries({row.dataset_id for row in rows}, {row.author_id for row in rows})
    out = defaultdict(list)
    for row in rows:
        known = [(at, key) for at, key in delivered.get((row.dataset_id, row.author_id), []) if at <= row.created_at]
        organizations = frozenset(one.organization_id for one in row.author.memberships.all())
        out[row.dataset_id].append(users.Rating(row.author_id, organizations, max(known)[1] if known else "", row.rating, row.created_at))
    return out


def deliveries(datasets, people) -> dict[tuple[int, int], list]:
    """{(dataset, user): [(when, key)]} of sample downloads and granted requests: who has really held the data."""
    out = defaultdict(list)
    events = DownloadEvent.objects.filter(sample__dataset__in=datasets, user__in=people)
    for pk, dataset, user, at in events.values_list("pk", "sample__dataset", "user", "at"):
        out[dataset, user].append((at, f"d{pk}"))
    granted = AccessRequest.objects.filter(dataset__in=datasets, requester__in=people, state__in=["granted", "expired", "revoked"])
    granted = granted.filter(decided_at__isnull=False)
    for pk, dataset, user, at in granted.values_list("pk", "dataset", "requester", "decided_at"):
        out[dataset, user].append((at, f"g{pk}"))
    return out


def is_verified(feedback: Feedback) -> bool:
    known = deliveries([feedback.dataset_id], [feedback.author_id]).get((feedback.dataset_id, feedback.author_id), [])
    return any(at <= feedback.created_at for at, _key in known)


def sector_mean(sector: str) -> float | None:
    rows = Feedback.objects.filter(kind="rating", rating__isnull=False, dataset__isnull=False)
    if connection.vendor == "postgresql":
        rows = rows.filter(dataset__sectors__contains=[sector])
    else:
        rows = rows.filter(dataset__sectors__icontains=f'"{sector}"')
    return rows.aggregate(mean=Avg("rating"))["mean"]


@provides
def drawn(datasets: Sequence[Dataset]) -> dict[int, list]:
    """ "drawn" where every sample that is looked at was drawn by the portal from the provider's latest locked manifest."""
    looked_at = defaultdict(set)
    rows = Sample.objects.filter(dataset__in=datasets, state__in=[Sample.State.READY, Sample.State.BLOCKED])
    for dataset, pk in rows.values_list("dataset", "pk"):
        looked_at[dataset].add(pk)
    verified = defaultdict(set)
    draws = SampleDraw.objects.filter(manifest__dataset__in=datasets, state=SampleDraw.State.VERIFIED, sample__isnull=False)
    draws = draws.select_related("manifest")
    latest: dict[int, int] = {}
    for draw in draws.order_by("manifest__number"):
        latest[draw.manifest.dataset_id] = draw.manifest.number
    for draw in draws:
        if draw.manifest.number == latest[draw.manifest.dataset_id]:
            verified[draw.manifest.dataset_id].add(draw.sample_id)
    return {pk: ["drawn"] for pk, samples in looked_at.items() if samples and samples <= verified[pk]}
