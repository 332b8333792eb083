"""Page 2: search, filters with counts, results. Every state of the page is an address; it works without script."""

from dataclasses import replace
from urllib.parse import urlencode

from django.http import Http404, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from catalog.cards import card_rows
from catalog.exceptions import DomainError
from catalog.search.addresses import PAGE_SIZE, address, pairs, query_string
from catalog.search.backends import get_backend
from catalog.search.labels import facet_name
from catalog.search.listing import RANGE_READERS, QueryInvalid, parse_filters, parse_ranges
from catalog.search.query import DIMENSIONS, SORTS, SearchQuery
from catalog.services import popular
from catalog.services.mapping import total_of
from catalog.services.suggesting import suggestions
from catalog.views.results import MOST
from catalog.views.search_parts import LAST_PAGE, chips, drawers, marked_rows, pages, query_words, relaxations, tree

EXPANSIONS = 5  # words told of, and other words for each
FOUND_VALUES = 60  # of a facet, under what was typed


def sort_names() -> dict[str, str]:
    return {
        "relevance": _("相关度"),
        "newest": _("最新上架"),
        "updated": _("更新时间"),
        "grade": _("质量等级"),
        "downloads": _("样例下载"),
        "size": _("数据量"),
        "title": _("名称"),
    }


@require_safe
def search(request):
    """GET q, exact, facet names repeated, ranges, sort, page. What cannot be understood is left out, and the page says so; a wrong
    range, typed by hand, is answered with 400 and named beside its field."""
    query, problem, wrong = read(request.GET)
    backend = get_backend()
    result = backend.search(query)
    if query.offset and query.offset >= result.total:
        query = replace(query, offset=0)
        result = backend.search(query)
    nearest = backend.nearest(query.text) if not result.total and query.text.strip() else []
    if result.total and not query.offset and query.text:
        popular.note(query.text, request)
    typed = {f"{name}_{end}": request.GET.get(f"{name}_{end}", "")[:40] for name in RANGE_READERS for end in ("from", "to")}
    context = {
        "q": query.text,
        "problem": problem,
        "total": result.total,
        "degraded": result.degraded,
        "rows": marked_rows(result.ids, result.terms),
        "nearest": card_rows(nearest),
        "drawers": drawers(query, result, typed, wrong),
        "chips": chips(query, result),
        "expansions": expansions(result.expansions),
        "did_you_mean": result.did_you_mean,
        "did_you_mean_url": address(replace(query, text=result.did_you_mean, offset=0)) if result.did_you_mean else "",
        "is_relaxed": result.is_relaxed,
        "is_exact": query.exact,
        "exact_url": address(replace(query, exact=not query.exact, offset=0)),
        "relaxations": relaxations(query, total_of) if not result.total else [],
        "query_string": query_string(query),
        "save_name": "，".join(query_words(query))[:120],
        "can_save": bool(query.text or query.filters or query.ranges),
        "csv_url": address(query, "catalog:results_csv"),
        "csv_most": MOST,
        "feed_url": address(replace(query, sort="relevance"), "catalog:search_feed"),
        "demand_url": address(replace(query, sort="relevance"), "catalog:demand_new"),
        "sorts": [{"value": value, "label": label, "current": value == query.sort} for value, label in sort_names().items()],
        "kept": [(name, value) for name, value in pairs(replace(query, text="", sort="relevance", exact=False))],
        "clear_url": address(replace(query, filters={}, ranges={}, offset=0)),
        "without_text_url": address(replace(query, text="", offset=0)) if query.filters or query.ranges else "",
        "pages": pages(query, result.total),
        "first": query.offset + 1,
        "last": query.offset + len(result.ids),
    }
    return render(request, "catalog/search.html", context, status=400 if wrong else 200)


@require_safe
def facet(request, name):
    """Every value of one facet that has the text `find` in its name, with its count under the query: as a page, and with `part=1` as
    the list alone, which the drawer puts into itself."""
    if name not in DIMENSIONS:
        raise Http404
    query, _problem, _wrong = read(request.GET)
    query, text = replace(query, offset=0), request.GET.get("find", "").replace("\x00", "").strip()[:100]
    values = get_backend().facet(query, name, text=text, limit=FOUND_VALUES)
    context = {
        "name": name,
        "label": facet_name(name),
        "find": text,
        "rows": tree(query, name, values),
        "is_cut": len(values) >= FOUND_VALUES,
        "limit": FOUND_VALUES,
        "kept": pairs(query),
        "back_url": address(query),
        "is_part": request.GET.get("part") == "1",
    }
    return render(request, "catalog/search_facet_list.html" if context["is_part"] else "catalog/search_facet.html", context)


@require_safe
def suggest(request):
    """GET q: [{"text", "kind", "url"}] while typing."""
    found = suggestions(request.GET.get("q", ""))
    kinds = {"title": _("数据集"), "organization": _("提供方"), "keyword": _("关键词"), "query": _("常查")}
    items = [item | {"label": kinds[item["kind"]], "url": f"{reverse('catalog:search')}?{urlencode({'q': item['text']})}"} for item in found]
    return JsonResponse({"suggestions": items}, json_dumps_params={"ensure_ascii": False})


def expansions(found) -> list[dict]:
    """What was looked for beside what was typed: [{"typed", "used": [word]}]; a shortened sentence is told in its own line."""
    table: dict[str, list[str]] = {}
    for item in found:
        if item.kind != "sentence":
            table.setdefault(item.typed, []).append(item.used)
    return [{"typed": typed, "used": list(dict.fromkeys(used))[:EXPANSIONS]} for typed, used in list(table.items())[:EXPANSIONS]]


def read(params) -> tuple[SearchQuery, str, str]:
    """(query, what could not be understood, in words, and the parameter of a range that is wrong)."""
    problem = wrong = ""
    try:
        filters = parse_filters(params)
    except DomainError as error:
        filters, problem = {}, str(error)
    try:
        ranges = parse_ranges(params)
    except QueryInvalid as error:
        ranges, wrong, problem = {}, error.parameter, error.errors[0]["message"]
    sort = params.get("sort") or "relevance"
    if sort not in SORTS:
        problem = _("没有“%(sort)s”这种排序，已按相关度排列。") % {"sort": Truncator(sort).chars(40)}
        sort = "relevance"
    page = params.get("page") or "1"
    page = int(page) if page.isascii() and page.isdigit() and len(page) < 6 else 1
    offset = (min(max(page, 1), LAST_PAGE) - 1) * PAGE_SIZE
    options = {"filters": filters, "ranges": ranges, "exact": params.get("exact") == "1"}
    return SearchQuery(text=params.get("q", ""), sort=sort, offset=offset, limit=PAGE_SIZE, **options), problem, wrong
