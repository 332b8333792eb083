"""Figures of the whole catalogue (R24, R26, R32, R91): distributions, growth, use, and how healthy the exchange of data is.

Distributions come from the search backend, as on the map and in the lists; what happened in time is counted in the database.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import Avg, Count, DurationField, ExpressionWrapper, F, Q, Sum
from django.db.models.functions import TruncMonth
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.models import AccessRequest, Dataset, Demand, DownloadEvent, Organization, Portal
from catalog.search import backends
from catalog.search.labels import facet_name
from catalog.search.query import MISSING, SearchQuery
from catalog.services.mapping import listing_url, total_of

BREAKDOWNS = ("sector", "region", "modality", "model_stage", "knowledge_tier", "grade", "openness", "portal")
MONTHS = 12
ROWS = 12  # shown of a distribution; the table for download has all
PROMISES = {"daily": 2, "weekly": 14, "monthly": 62, "quarterly": 184, "half_yearly": 366, "annual": 731}  # days: two periods


def breakdowns(query: SearchQuery | None = None) -> list[dict]:
    """[{"name", "label", "rows": [{"value", "label", "count", "bytes", "share", "url"}], "missing"}], most frequent first."""
    query, backend = query or SearchQuery(), backends.get_backend()
    total = total_of(query) or 1
    found = []
    for name in BREAKDOWNS:
        volumes, rows = backend.volume(query, name), []
        counts = backend.counts(query, name)
        for item in sorted(counts, key=lambda item: -item.count):
            if item.value != MISSING and item.count:
                share = round(100 * item.count / total, 1)
                url = listing_url(query, **{name: item.value})
                size = int(volumes.get(item.value, 0))
                rows.append({"value": item.value, "label": item.label, "count": item.count, "bytes": size, "share": share, "url": url})
        missing = next((item.count for item in counts if item.value == MISSING), 0)
        found.append({"name": name, "label": facet_name(name), "rows": rows, "missing": missing})
    return found


def months(now: datetime, number: int = MONTHS) -> list[datetime]:
    """The first moments of the last months, this one included, oldest first."""
    first = timezone.localtime(now).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    found = [first]
    while len(found) < number:
        found.append((found[-1] - timedelta(days=1)).replace(day=1, hour=0))
    return found[::-1]


def growth(now: datetime) -> list[dict]:
    """[{"month", "listed": new that month, "total": on offer at its end, "downloads", "requests"}] of the last twelve months."""
    span = months(now)
    rows = Dataset.objects.published()
    listed = _by_month(rows.filter(listed_at__gte=span[0]), "listed_at")
    downloads = _by_month(DownloadEvent.objects.filter(at__gte=span[0]), "at")
    asked = _by_month(AccessRequest.objects.filter(created_at__gte=span[0]), "created_at")
    total, found = rows.filter(Q(listed_at__lt=span[0]) | Q(listed_at__isnull=True)).count(), []
    for month in span:
        key = month.strftime("%Y-%m")
        total += listed.get(key, 0)
        found.append({"month": key, "listed": listed.get(key, 0), "total": total, "downloads": downloads.get(key, 0), "requests": asked.get(key, 0)})
    return found


def _by_month(rows, moment: str) -> dict[str, int]:
    counted = rows.annotate(month=TruncMonth(moment)).order_by().values("month").annotate(number=Count("pk"))
    return {row["month"].strftime("%Y-%m"): row["number"] for row in counted}


def health(now: datetime) -> list[dict]:
    """Signs of a living catalogue: [{"key", "label", "part", "whole", "share" of 100 or None, "note"}].

    A share is None where there is nothing to judge yet. The promise is kept when the last update is at most two periods old.
    """
    rows = Dataset.objects.published()
    counted = rows.aggregate(
        whole=Count("pk"),
        graded=Count("pk", filter=~Q(grade="")),
        good=Count("pk", filter=Q(grade__in=["A", "B"])),
        licensed=Count("pk", filter=~Q(license="") | ~Q(license_type="")),
        contact=Count("pk", filter=~Q(contact_email="") | ~Q(contact_phone="")),
    )
    sampled = rows.filter(samples__state="ready").distinct().count()
    kept, promised = _promises(rows, now)
    decided = AccessRequest.objects.filter(decided_at__isnull=False)
    in_time = decided.filter(decided_at__lte=F("due_at")).count()
    late = AccessRequest.objects.filter(decided_at__isnull=True, due_at__lt=now, state__in=["submitted", "second_approval"]).count()
    answered = decided.count()
    span = ExpressionWrapper(F("decided_at") - F("created_at"), output_field=DurationField())
    mean = decided.aggregate(mean=Avg(span))["mean"]
    demands = Demand.objects.exclude(state=Demand.State.DRAFT)
    matched = demands.filter(matches__isnull=False).distinct().count()
    whole = counted["whole"]
    return [
        _sign("graded", _("已评测"), counted["graded"], whole, _("有质量等级的数据集")),
        _sign("good", _("A、B 两级"), counted["good"], counted["graded"], _("占已评测的数据集")),
        _sign("sampled", _("有样例"), sampled, whole, _("可下载样例的数据集")),
        _sign("licensed", _("写明授权"), counted["licensed"], whole, _("写了许可或授权类型的数据集")),
        _sign("contact", _("找得到人"), counted["contact"], whole, _("留了联系邮箱或电话的数据集")),
        _sign("promise", _("按时更新"), kept, promised, _("承诺了更新频率的数据集中，最近一次更新不超过两个周期的")),
        _sign(
            "answered",
            _("按期答复"),
            in_time,
            answered + late,
            _("使用申请") + (_("，平均 %(n).1f 天") % {"n": mean.total_seconds() / 86400} if mean else ""),
        ),
        _sign("matched", _("需求有匹配"), matched, demands.count(), _("已发布的需求")),
    ]


def _sign(key: str, label: str, part: int, whole: int, note: str) -> dict:
    return {"key": key, "label": label, "part": part, "whole": whole, "share": round(100 * part / whole, 1) if whole else None, "note": note}


def _promises(rows, now: datetime) -> tuple[int, int]:
    kept = Q()
    for frequency, days in PROMISES.items():
        kept |= Q(update_frequency=frequency, modified__gte=(now - timedelta(days=days)).date())
    counted = rows.filter(update_frequency__in=list(PROMISES)).aggregate(whole=Count("pk"), kept=Count("pk", filter=kept))
    return counted["kept"], counted["whole"]


def most_used(limit: int = 10) -> list[Dataset]:
    return list(Dataset.objects.published().filter(download_count__gt=0).order_by("-download_count", "-pk").select_related("organization")[:limit])


def totals() -> dict[str, int]:
    """What is published here in figures; providers are those with something published, organizations all that are known."""
    rows = Dataset.objects.published()
    figures = rows.aggregate(
        datasets=Count("pk"),
        bytes=Sum("byte_size"),
        records=Sum("record_count"),
        providers=Count("organization", distinct=True),
        graded=Count("pk", filter=~Q(grade="")),
        downloads=Sum("download_count"),
    )
    figures["samples"] = rows.filter(samples__state="ready").aggregate(count=Count("samples"))["count"]
    return {name: value or 0 for name, value in figures.items()} | {"portals": Portal.objects.count(), "organizations": Organization.objects.count()}


def curve(values: Iterable[int], *, width: int = 560, height: int = 170, left: int = 8, top: int = 28, floor: int = 150) -> list[dict]:
    """Points of a line over the values in drawing units: [{"x", "y", "value"}]."""
    values = list(values)
    most, step = max(values, default=0) or 1, (width - 2 * left) / max(len(values) - 1, 1)
    return [{"x": round(left + at * step, 1), "y": round(floor - (floor - top) * value / most, 1), "value": value} for at, value in enumerate(values)]
