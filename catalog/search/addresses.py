"""Addresses of the search page: every state of it is one, and a query is told by its parameters everywhere (pages, feeds, exports)."""

from dataclasses import replace
from datetime import date
from urllib.parse import urlencode

from django.urls import reverse

from catalog.search.hierarchy import related
from catalog.search.query import SearchQuery

PAGE_SIZE = 12
SIZES = (("PB", 10**15), ("TB", 10**12), ("GB", 10**9), ("MB", 10**6), ("KB", 10**3))


def pairs(query: SearchQuery) -> list[tuple[str, str]]:
    """(parameter, value) of what is asked, without the page; search.listing reads them back."""
    found = [("q", query.text)] if query.text else []
    found += [("exact", "1")] if query.exact else []
    found += [(name, value) for name, values in query.filters.items() for value in values]
    found += range_pairs(query)
    found += [("sort", query.sort)] if query.sort != "relevance" else []
    return [(name, str(value).encode("utf-8", "replace").decode()) for name, value in found]


def range_pairs(query: SearchQuery) -> list[tuple[str, str]]:
    ends = ((name, end, bound) for name, bounds in query.ranges.items() for end, bound in zip(("from", "to"), bounds, strict=True))
    return [(f"{name}_{end}", bound_text(name, bound)) for name, end, bound in ends if bound is not None]


def bound_text(name: str, bound: int) -> str:
    """10GB, or 2026-01-31: as it is typed."""
    if name == "modified":
        return date.fromordinal(bound).isoformat()
    unit, factor = next(((unit, factor) for unit, factor in SIZES if bound and bound % factor == 0), ("", 1))
    return f"{bound // factor}{unit}"


def query_string(query: SearchQuery) -> str:
    return urlencode(pairs(query))


def address(query: SearchQuery, name: str = "catalog:search", *, args=(), **more) -> str:
    """Of the search page, or of another view that reads the same parameters, under this query."""
    page = [("page", query.offset // PAGE_SIZE + 1)] if query.offset and name == "catalog:search" else []
    encoded = urlencode([*pairs(query), *page, *more.items()])
    return reverse(name, args=args) + (f"?{encoded}" if encoded else "")


def toggled(query: SearchQuery, name: str, value: str) -> SearchQuery:
    """With this value chosen, or no longer chosen. In a tree a choice takes those above and below it back."""
    values = query.filters.get(name, ())
    values = tuple(other for other in values if other != value and not related(name, value, other))
    if value not in query.filters.get(name, ()):
        values = (*values, value)
    filters = {**query.filters, name: values}
    return replace(query, filters={key: chosen for key, chosen in filters.items() if chosen}, offset=0)


def without_range(query: SearchQuery, name: str) -> SearchQuery:
    return replace(query, ranges={other: bounds for other, bounds in query.ranges.items() if other != name}, offset=0)
