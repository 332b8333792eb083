"""What stands on the home page: totals of the catalogue, grades, sectors, and a few datasets to begin with."""

from collections.abc import Callable, Iterable
from datetime import timedelta

from django.db.models import Count, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.labels import term_choices
from catalog.models import Dataset, Demand, DownloadEvent, Organization, Portal, Sample, SearchState
from catalog.search import backends
from catalog.search.query import MISSING, SearchQuery
from catalog.services.mapping import listing_url, total_of

PLAIN = ("示例", "example")  # keywords that tell nothing of the content
_held: dict[str, tuple] = {}
GRADES = ("A", "B", "C", "D", MISSING)


def catalogue_totals(*, days: int = 7) -> dict:
    """{"datasets", "bytes", "samples", "providers", "verified", "portals", "new", "new_bytes", "downloads", "generated"}.

    Datasets, volume and providers are counted by the search backend, as everywhere; `new` are listings of the last days.
    """
    query, backend, since = SearchQuery(), backends.get_backend(), timezone.now() - timedelta(days=days)
    recent = Dataset.objects.published().filter(listed_at__gte=since).aggregate(number=Count("pk"), size=Sum("byte_size"))
    providers = [item.value for item in backend.counts(query, "organization") if item.value != MISSING]
    return {
        "datasets": total_of(query),
        "bytes": int(sum(backend.volume(query, "portal").values())),
        "samples": Sample.objects.filter(state=Sample.State.READY, dataset__in=Dataset.objects.published()).count(),
        "providers": len(providers),
        "verified": Organization.objects.filter(verified_at__isnull=False, datasets__in=Dataset.objects.published()).distinct().count(),
        "portals": Portal.objects.count(),
        "new": recent["number"],
        "new_bytes": recent["size"] or 0,
        "downloads": DownloadEvent.objects.filter(at__gte=since).count(),
        "days": days,
        "generated": timezone.now(),
    }


def grade_strip() -> dict:
    """{"parts": [{"key", "label", "count", "url", "x", "width"}] of a bar 100 wide, "good", "share"}."""
    query = SearchQuery()
    counts = {item.value: item.count for item in backends.get_backend().counts(query, "grade")}
    total, left, parts = sum(counts.values()), 0.0, []
    for key in GRADES:
        count = counts.get(key, 0)
        width = 100 * count / total if total else 0
        shown = max(0, width - 0.25)
        label = _("未评") if key == MISSING else key
        url = listing_url(query, grade=key)
        parts.append({"key": key.lower(), "label": label, "count": count, "url": url, "x": round(left, 2), "width": round(shown, 2)})
        left += width
    good = counts.get("A", 0) + counts.get("B", 0)
    return {"parts": parts, "good": good, "share": f"{100 * good / total:.1f}" if total else "0", "total": total}


def sector_drawers() -> list[dict]:
    """The sectors, fullest first: [{"code", "label", "count", "note": keywords met most often, "url"}]."""
    query = SearchQuery()
    counts = {item.value: item.count for item in backends.get_backend().counts(query, "sector")}
    notes = sector_keywords()
    drawers = [
        {"code": code, "label": label, "count": counts.get(code, 0), "note": notes.get(code, []), "url": listing_url(query, sector=code)}
        for code, label in term_choices("sector")
    ]
    return sorted(drawers, key=lambda drawer: -drawer["count"])


def _kept(name: str, work: Callable):
    """What `work` gave for this state of the index; once a process and state. Only for what nothing but the published listings decides."""
    state = SearchState.objects.filter(id=1).values_list("version", "stamp").first()
    held = _held.get(name)
    if state is None or held is None or held[0] != state:
        held = _held[name] = (state, work())
    return held[1]


def sector_keywords() -> dict[str, list[str]]:
    """Up to three short keywords per sector, from the latest listings."""
    return _kept("sector_keywords", _sector_keywords)


def _sector_keywords(*, sample: int = 400, words: int = 3) -> dict[str, list[str]]:
    seen = {}
    rows = Dataset.objects.published().latest_first().values_list("sectors", "keywords")[:sample]
    for sectors, keywords in rows:
        for sector in sectors:
            for word in keywords:
                if isinstance(word, str) and len(word) <= 6 and word not in PLAIN:
                    counts = seen.setdefault(sector, {})
                    counts[word] = counts.get(word, 0) + 1
    return {sector: sorted(counts, key=lambda word: -counts[word])[:words] for sector, counts in seen.items()}


def frequent_keywords(limit: int = 5) -> list[str]:
    """Words to try in the search box: keywords of most datasets."""
    return _kept("frequent_keywords", _frequent_keywords)[:limit]


def _frequent_keywords() -> list[str]:
    counts = backends.get_backend().counts(SearchQuery(), "keyword")
    words = [item.label for item in sorted(counts, key=lambda item: -item.count) if item.value not in (MISSING, *PLAIN)]
    return [word for word in words if 2 <= len(word) <= 8][:50]


def leading_datasets(sorts: Iterable[str], *, limit: int = 4) -> dict[str, list[int]]:
    """{sort: primary keys of the first datasets under that order}."""
    backend = backends.get_backend()
    return {sort: backend.search(SearchQuery(sort=sort, limit=limit, facets=())).ids for sort in sorts}


def open_demands(limit: int = 4) -> list[Demand]:
    """Demands that may be answered, latest first, with the number of their matches."""
    published = Demand.objects.filter(state__in=Demand.OPEN)
    return list(published.select_related("organization").annotate(match_count=Count("matches")).order_by("-id")[:limit])
