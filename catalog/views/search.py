"""Page 2: search, filters with counts, results. Every state of the page is an address; it works without script."""

from dataclasses import replace
from urllib.parse import urlencode

from django.http import JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from catalog.cards import card_rows
from catalog.exceptions import DomainError
from catalog.search.backends import get_backend
from catalog.search.highlight import highlight, passage, spans
from catalog.search.labels import facet_name, value_label
from catalog.search.listing import parse_filters
from catalog.search.query import FACETS, MISSING, SORTS, SearchQuery

PAGE_SIZE = 12
LAST_PAGE = 500
OPEN = ("sector", "grade", "region", "modality", "model_stage")  # drawers that stand open
RAIL = (*OPEN, "has_sample", "updated", *(name for name in FACETS if name not in (*OPEN, "has_sample", "updated")))
SHOWN = 6  # values of a drawer before “其余”


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
    """GET q, facet names repeated, sort, page. What cannot be understood is left out, and the page says so."""
    query, problem = read(request.GET)
    backend = get_backend()
    result = backend.search(query)
    if query.offset and query.offset >= result.total:
        query = replace(query, offset=0)
        result = backend.search(query)
    nearest = backend.nearest(query.text) if not result.total and query.text.strip() else []
    context = {
        "q": query.text,
        "problem": problem,
        "total": result.total,
        "degraded": result.degraded,
        "rows": marked_rows(result.ids, result.terms),
        "nearest": card_rows(nearest),
        "drawers": drawers(query, result),
        "chips": chips(query, result),
        "sorts": [{"value": value, "label": label, "current": value == query.sort} for value, label in sort_names().items()],
        "kept": [(name, value) for name, values in query.filters.items() for value in values],
        "clear_url": address(replace(query, filters={}, offset=0)),
        "without_text_url": address(replace(query, text="", offset=0)) if query.filters else "",
        "pages": pages(query, result.total),
        "first": query.offset + 1,
        "last": query.offset + len(result.ids),
    }
    return render(request, "catalog/search.html", context)


@require_safe
def suggest(request):
    """GET q: [{"text", "kind", "url"}] while typing."""
    found = get_backend().suggest(request.GET.get("q", ""))
    kinds = {"title": _("数据集"), "organization": _("提供方"), "keyword": _("关键词")}
    items = [item | {"label": kinds[item["kind"]], "url": f"{reverse('catalog:search')}?{urlencode({'q': item['text']})}"} for item in found]
    return JsonResponse({"suggestions": items}, json_dumps_params={"ensure_ascii": False})


def read(params) -> tuple[SearchQuery, str]:
    problem = ""
    try:
        filters = parse_filters(params)
    except DomainError as error:
        filters, problem = {}, str(error)
    sort = params.get("sort") or "relevance"
    if sort not in SORTS:
        problem = _("没有“%(sort)s”这种排序，已按相关度排列。") % {"sort": Truncator(sort).chars(40)}
        sort = "relevance"
    page = params.get("page") or "1"
    page = int(page) if page.isascii() and page.isdigit() and len(page) < 6 else 1
    offset = (min(max(page, 1), LAST_PAGE) - 1) * PAGE_SIZE
    return SearchQuery(text=params.get("q", ""), filters=filters, sort=sort, offset=offset, limit=PAGE_SIZE), problem


def address(query: SearchQuery) -> str:
    pairs = [("q", query.text)] if query.text else []
    pairs += [(name, value) for name, values in query.filters.items() for value in values]
    pairs += [("sort", query.sort)] if query.sort != "relevance" else []
    pairs += [("page", query.offset // PAGE_SIZE + 1)] if query.offset else []
    encoded = urlencode([(name, str(value).encode("utf-8", "replace")) for name, value in pairs])
    return reverse("catalog:search") + (f"?{encoded}" if encoded else "")


def toggled(query: SearchQuery, name: str, value: str) -> str:
    """The address with this value chosen, or no longer chosen."""
    values = query.filters.get(name, ())
    values = tuple(other for other in values if other != value) if value in values else (*values, value)
    filters = {**query.filters, name: values}
    return address(replace(query, filters={key: chosen for key, chosen in filters.items() if chosen}, offset=0))


def drawers(query: SearchQuery, result) -> list[dict]:
    """The facet rail: one drawer per facet; those that hold nothing to choose stay away."""
    found = []
    for name in RAIL:
        values = result.facets.get(name, [])
        chosen = query.filters.get(name, ())
        if not any(item.value != MISSING for item in values) and not chosen:
            continue
        top = max((item.count for item in values), default=0) or 1
        rows = [
            {
                "label": item.label,
                "count": item.count,
                "url": toggled(query, name, item.value),
                "chosen": item.value in chosen,
                "width": round(100 * item.count / top),
            }
            for item in values
        ]
        shown = len(rows) if len(rows) <= SHOWN + 1 else SHOWN
        rest = rows[shown:]
        found.append(
            {
                "name": name,
                "label": facet_name(name),
                "is_open": name in OPEN or bool(chosen),
                "chosen": len(chosen),
                "rows": rows[:shown],
                "rest": rest,
                "rest_open": any(row["chosen"] for row in rest),
            }
        )
    return found


def chips(query: SearchQuery, result) -> list[dict]:
    known = {(name, item.value): item.label for name, values in result.facets.items() for item in values}
    return [
        {"facet": facet_name(name), "label": chip_label(known, name, value), "url": toggled(query, name, value)}
        for name, values in query.filters.items()
        for value in values
    ]


def chip_label(known: dict, name: str, value: str) -> str:
    return Truncator(known.get((name, value)) or value_label(name, value)).chars(40)


def marked_rows(pks: list[int], terms: list[str]) -> list[dict]:
    """Card rows with the match marked; the summary is shown where the title alone does not tell why it was found."""
    rows = card_rows(pks)
    for row in rows:
        row["title_html"] = highlight(row["title"], terms)
        row["passage_html"] = mark_safe("")
        if terms and not spans(row["title"], terms) and spans(row["summary"], terms):
            row["passage_html"] = highlight(passage(row["summary"], terms), terms)
    return rows


def pages(query: SearchQuery, total: int) -> dict:
    last = min(max(1, -(-total // PAGE_SIZE)), LAST_PAGE)
    current = query.offset // PAGE_SIZE + 1
    near = range(1, last + 1) if last <= 8 else sorted({1, *range(max(1, current - 2), min(last, current + 2) + 1)})

    def at(number):
        return address(replace(query, offset=(number - 1) * PAGE_SIZE))

    return {
        "links": [{"number": number, "url": at(number), "current": number == current} for number in near],
        "before": at(current - 1) if current > 1 else "",
        "after": at(current + 1) if current < last else "",
        "is_needed": last > 1,
    }
