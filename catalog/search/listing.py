"""The list of datasets as the REST API gives it, and the reading of its parameters; the page reads the same ones."""

import base64
import binascii
import hashlib
import re
from dataclasses import asdict, replace
from datetime import UTC, date
from decimal import Decimal

from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _

from catalog.exceptions import DomainError
from catalog.models import Dataset
from catalog.search.backends import get_backend
from catalog.search.query import DIMENSIONS, SORTS, FacetValue, SearchQuery

PAGE_SIZE, MAX_PAGE_SIZE = 20, 100
MAX_VALUES = 50  # per facet
SIZE = re.compile(r"(?P<number>[0-9]{1,18}(\.[0-9]{1,3})?) ?(?P<unit>([KMGTPE]?B)?)", re.IGNORECASE | re.ASCII)
UNITS = {"": 1, "B": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15, "E": 10**18}
LARGEST = 2**63 - 1
TIMES = ("listed_at", "updated_at")
ROW = (
    "pk uid identifier source_identifier title title_en summary organization__uid organization__name grade assurance score home_portal "
    "modified updated_at listed_at sectors region modalities model_stages license_type license openness byte_size record_count "
    "download_count is_example security_level"
).split()
WITHHELD = {"summary": "", "license": "", "license_type": "", "record_count": None, "byte_size": None, "model_stages": ()}  # of important data


class QueryInvalid(DomainError):
    """A parameter that cannot be understood; `errors` is [{"pointer", "code", "message"}] as for a listing."""

    status = 400
    code = "query_invalid"

    def __init__(self, parameter: str, message: str):
        self.parameter = parameter
        self.errors = [{"pointer": f"/{parameter}", "code": "invalid", "message": message}]
        super().__init__(f"{parameter}: {message}")


def parse_query(params: QueryDict) -> SearchQuery:
    """SearchQuery of `q`, facet names (repeated), ranges, `sort`, `page_size` and `cursor`; else QueryInvalid naming the parameter.

    A value that a facet does not have finds nothing and is no error.
    """
    sort = params.get("sort") or "relevance"
    if sort not in SORTS:
        raise QueryInvalid("sort", _("没有“%(sort)s”这种排序，可用的有 %(sorts)s。") % {"sort": sort[:40], "sorts": "、".join(SORTS)})
    narrowed = {"filters": parse_filters(params), "ranges": parse_ranges(params), "exact": params.get("exact") == "1"}
    query = SearchQuery(text=params.get("q", ""), sort=sort, limit=_page_size(params), **narrowed)
    return replace(query, offset=_offset(params.get("cursor", ""), query))


def parse_filters(params: QueryDict) -> dict[str, tuple[str, ...]]:
    found = {}
    for name in DIMENSIONS:
        values = tuple(dict.fromkeys(value for value in params.getlist(name) if value))
        if len(values) > MAX_VALUES:
            raise QueryInvalid(name, _("最多同时选 %(limit)d 个值。") % {"limit": MAX_VALUES})
        if values:
            found[name] = values
    return found


def parse_ranges(params: QueryDict) -> dict[str, tuple[int | None, int | None]]:
    """`size_from`, `size_to` (bytes, or 10GB) and `modified_from`, `modified_to` (days); QueryInvalid for what is no number, no day,
    or ends before it begins."""
    found = {}
    for name, read in RANGE_READERS.items():
        low, high = (read(f"{name}_{end}", params.get(f"{name}_{end}", "").strip()) for end in ("from", "to"))
        if low is not None and high is not None and low > high:
            raise QueryInvalid(f"{name}_to", _("终点小于起点。"))
        if low is not None or high is not None:
            found[name] = (low, high)
    return found


def _size(parameter: str, text: str) -> int | None:
    if not text:
        return None
    match = SIZE.fullmatch(text)
    size = Decimal(match["number"]) * UNITS[match["unit"].upper()[:1]] if match else None
    if size is None or size > LARGEST:
        raise QueryInvalid(parameter, _("应为字节数，或如 10GB 的大小。"))
    return int(size)


def _day(parameter: str, text: str) -> int | None:
    try:
        return date.fromisoformat(text).toordinal() if text else None
    except ValueError:
        raise QueryInvalid(parameter, _("应为如 2026-01-31 的日期。")) from None


RANGE_READERS = {"size": _size, "modified": _day}


def _page_size(params: QueryDict) -> int:
    text = params.get("page_size") or str(PAGE_SIZE)
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= MAX_PAGE_SIZE):
        raise QueryInvalid("page_size", _("应为 1 至 %(limit)d 的整数。") % {"limit": MAX_PAGE_SIZE})
    return int(text)


def _fingerprint(query: SearchQuery) -> str:
    asked = repr((query.text, sorted(query.filters.items()), sorted(query.ranges.items()), query.exact, query.sort))
    return hashlib.blake2b(asked.encode("utf-8", "ignore"), digest_size=6).hexdigest()


def cursor_of(query: SearchQuery, offset: int) -> str:
    return base64.urlsafe_b64encode(f"{offset}.{_fingerprint(query)}".encode()).decode().rstrip("=")


def _offset(cursor: str, query: SearchQuery) -> int:
    """A cursor belongs to its query: used with another one it is refused, not silently wrong."""
    if not cursor:
        return 0
    try:
        text = base64.urlsafe_b64decode(cursor[:80] + "=" * (-len(cursor[:80]) % 4)).decode("ascii")
        offset, _dot, fingerprint = text.partition(".")
        if fingerprint != _fingerprint(query) or not offset.isdigit() or len(offset) > 9:
            raise ValueError
    except (ValueError, binascii.Error):
        raise QueryInvalid("cursor", _("这个游标不属于这次查询。请从第一页重新开始。")) from None
    return int(offset)


def search_rows(query: SearchQuery) -> dict:
    """{"count", "facets", "next", "results", "engine", "degraded", "expansions", "did_you_mean", "is_relaxed"} in plain values, and
    each row's "explain" when the query asks. `next` is a cursor, or None on the last page."""
    result = get_backend().search(query)
    end = query.offset + query.limit
    found = rows(result.ids, result.explain)
    return {
        "count": result.total,
        "facets": {name: [facet_row(item) for item in values] for name, values in result.facets.items()},
        "next": cursor_of(query, end) if end < result.total and result.ids else None,
        "results": found,
        "engine": result.engine,
        "degraded": result.degraded,
        "expansions": [asdict(expansion) for expansion in result.expansions],
        "did_you_mean": result.did_you_mean,
        "is_relaxed": result.is_relaxed,
    }


def facet_row(item: FacetValue) -> dict:
    """{"value", "label", "count"}, and in a hierarchical facet "parent" for what does not stand at the top."""
    return {"value": item.value, "label": item.label, "count": item.count} | ({"parent": item.parent} if item.parent else {})


def rows(pks: list[int], explain: dict[int, dict] | None = None) -> list[dict]:
    """Public datasets as plain dicts in the order of the keys; one query, no model instance."""
    found = {row["pk"]: row for row in Dataset.objects.published_of(pks).values(*ROW)}
    told = explain or {}
    return [_row(found[pk]) | ({"explain": told[pk]} if pk in told else {}) for pk in pks if pk in found]


def _row(row: dict) -> dict:
    row.pop("pk")
    if row["security_level"] != Dataset.SecurityLevel.GENERAL:
        row |= WITHHELD
    row["uid"] = str(row["uid"])
    row["organization"] = {"uid": str(row.pop("organization__uid")), "name": row.pop("organization__name")}
    row["portal"] = row.pop("home_portal")
    row["score"] = None if row["score"] is None else str(row["score"])
    row["url"] = reverse("catalog:dataset_detail", args=[row["uid"]])
    row["modified"] = (row["modified"] or row["updated_at"].date()).isoformat()
    for name in TIMES:
        row[name] = row[name].astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if row[name] else None
    return row
