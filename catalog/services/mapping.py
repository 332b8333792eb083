"""The resource map as plain values: one function feeds the page, its table twin, the CSV files and the API.

Every number comes from the search backend, so a mark and the list it opens always agree.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import Count
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.exceptions import DomainError
from catalog.formatting import in_a_row, is_english, size_text
from catalog.labels import portal_label, region_label, term_choices
from catalog.models import Dataset, Demand, Portal
from catalog.search import backends
from catalog.search.listing import parse_filters
from catalog.search.query import MISSING, SearchQuery
from catalog.tiles import LATIN, TILES, province_of, quantile_limits, step_of

# layer -> (label, dimension whose values the reader may pick, or "")
LAYERS = {
    "count": (gettext_lazy("数量"), ""),
    "volume": (gettext_lazy("总量"), ""),
    "grade": (gettext_lazy("质量等级"), ""),
    "ownership": (gettext_lazy("权属主体"), "organization_kind"),
    "collection": (gettext_lazy("采集方式"), "collection_method"),
    "storage": (gettext_lazy("存储位置"), "storage_place"),
    "frequency": (gettext_lazy("更新频率"), "update_frequency"),
    "freshness": (gettext_lazy("新鲜度"), "updated"),
}
GOOD = ("A", "B")
SHOWN_VALUES = 12  # of a layer with many values, the most frequent


class UnknownLayer(DomainError):
    code = "unknown_layer"


def query_from(params) -> SearchQuery:
    """The query of a map from request parameters (a QueryDict): `q` and any dimension, as on the list; QueryInvalid for too many values."""
    return SearchQuery(text=params.get("q", "")[:200], filters=parse_filters(params))


def listing_url(query: SearchQuery, **more) -> str:
    """Address of the dataset list under a query and further filters."""
    params = {name: list(values) for name, values in query.filters.items()} | more
    if query.text:
        params["q"] = query.text
    return f"{reverse('catalog:search')}?{urlencode(params, doseq=True)}" if params else reverse("catalog:search")


def narrowed(query: SearchQuery, **filters) -> SearchQuery:
    return replace(query, filters=query.filters | filters)


def resource_map(layer: str = "count", query: SearchQuery | None = None, *, value: str = "") -> dict:
    """The province map of one layer. UnknownLayer for a layer that does not exist.

    {"layer", "label", "value", "value_label", "total": datasets under the query, "unplaced": of them without a province,
     "values": [{"value", "label", "count", "url", "current"}]   categories of the layer, most frequent first,
     "regions": [{"code", "name", "char", "count", "volume", "good", "good_share", "recent", "figure": number the layer
                  shows or None, "text": the same for people, "step": 0–5, "url": the list with exactly that filter}]
                 all 34 in the order of the vocabulary,
     "legend": [{"step", "text"}], "finding": title that states what one sees, "generated": ISO time}
    """
    if layer not in LAYERS:
        raise UnknownLayer(_("没有“%(layer)s”这个图层，可用的是 %(layers)s。") % {"layer": layer[:40], "layers": "、".join(LAYERS)})
    query = query or SearchQuery()
    backend, dimension = backends.get_backend(), LAYERS[layer][1]
    values = layer_values(query, dimension) if dimension else []
    known = [item["value"] for item in values]
    value = value if value in known else (known[0] if known else "")
    for item in values:
        item["current"] = item["value"] == value
    counts = by_province(backend.counts(query, "region"))
    figures = figures_of(layer, query, dimension, value)
    rows = region_rows(query, counts, figures)
    limits = quantile_limits(row["figure"] or 0 for row in rows)
    for row in rows:
        row["step"] = step_of(row["figure"], limits)
        row["text"] = figure_text(layer, row["figure"])
        row["url"] = listing_url(query, **(layer_filter(layer, dimension, value) | {"region": row["code"]}))
    total, label = total_of(query), next((item["label"] for item in values if item["current"]), "")
    return {
        "layer": layer,
        "label": str(LAYERS[layer][0]),
        "value": value,
        "value_label": label,
        "total": total,
        "unplaced": total - sum(row["count"] for row in rows),
        "values": values,
        "regions": rows,
        "legend": legend(layer, [row["figure"] for row in rows if row["figure"]], limits),
        "finding": finding(layer, rows, total, label),
        "generated": timezone.now().isoformat(timespec="seconds"),
    }


def total_of(query: SearchQuery) -> int:
    return backends.get_backend().search(replace(query, limit=0, facets=())).total


def by_province(facet_values) -> dict[str, int]:
    table = {}
    for item in facet_values:
        if item.value != MISSING:
            table[province_of(item.value)] = table.get(province_of(item.value), 0) + item.count
    return table


def layer_values(query, dimension) -> list[dict]:
    counts = sorted(backends.get_backend().counts(query, dimension), key=lambda item: (item.value == MISSING, -item.count))
    return [
        {"value": item.value, "label": item.label, "count": item.count, "url": listing_url(query, **{dimension: item.value})}
        for item in counts[:SHOWN_VALUES]
    ]


def layer_filter(layer, dimension, value) -> dict:
    if layer == "grade":
        return {"grade": list(GOOD)}
    return {dimension: value} if dimension and value else {}


def figures_of(layer, query, dimension, value) -> dict[str, float]:
    """Province -> number the layer shows."""
    backend = backends.get_backend()
    if layer == "volume":
        return _summed(backend.volume(query, "region"))
    if layer == "grade":
        counts = by_province(backend.counts(query, "region"))
        return {code: round(100 * good_by_province(query).get(code, 0) / count, 1) for code, count in counts.items() if count}
    if dimension:
        return by_province(backend.counts(narrowed(query, **{dimension: (value,)}), "region")) if value else {}
    return by_province(backend.counts(query, "region"))


def good_by_province(query) -> dict[str, int]:
    """Datasets of grade A or B per province, under whatever grades the query already asks for."""
    wanted = set(query.filters.get("grade", GOOD)) & set(GOOD)
    return by_province(backends.get_backend().counts(narrowed(query, grade=tuple(sorted(wanted))), "region")) if wanted else {}


def _summed(volumes) -> dict[str, int]:
    table = {}
    for code, size in volumes.items():
        if code != MISSING:
            table[province_of(code)] = table.get(province_of(code), 0) + int(size)
    return table


def region_rows(query, counts, figures) -> list[dict]:
    volumes, good = _summed(backends.get_backend().volume(query, "region")), good_by_province(query)
    recent = {} if query.filters or query.text else recent_by_province()
    names = dict(term_choices("region"))
    return [
        {
            "code": code,
            "name": names.get(code, region_label(code)),
            "char": letters_of(code),
            "count": counts.get(code, 0),
            "volume": volumes.get(code, 0),
            "good": good.get(code, 0),
            "good_share": round(100 * good.get(code, 0) / counts[code]) if counts.get(code) else None,
            "recent": recent.get(code, 0),
            "figure": figures.get(code) if counts.get(code) else None,
        }
        for code in sorted(TILES)
    ]


def letters_of(code: str) -> str:
    """What a tile says: the province's character, in English its two letters."""
    return LATIN[code] if is_english() else TILES[code][0]


def recent_by_province(days: int = 7) -> dict[str, int]:
    """Newly listed per province; the time of listing is no search dimension."""
    since = timezone.now() - timedelta(days=days)
    rows = Dataset.objects.published().filter(listed_at__gte=since).exclude(region="").order_by().values_list("region")
    table = {}
    for region, number in rows.annotate(number=Count("pk")):
        table[province_of(region)] = table.get(province_of(region), 0) + number
    return table


def figure_text(layer: str, figure) -> str:
    if figure is None:
        return "—"
    if layer == "volume":
        return size_text(figure).replace(" ", "\u2009")
    return f"{figure:.0f}%" if layer == "grade" else f"{figure:,}"


def legend(layer: str, figures: list, limits: list) -> list[dict]:
    steps, low = [], None
    for limit in limits:
        inside = [figure for figure in figures if figure <= limit and (low is None or figure > low)]
        if inside:
            first, last = figure_text(layer, min(inside)), figure_text(layer, max(inside))
            steps.append({"step": step_of(limit, limits), "text": first if first == last else f"{first}–{last}"})
        low = limit
    return steps


def finding(layer: str, rows: list[dict], total: int, label: str) -> list[str]:
    """The title of the picture: what it shows, in phrases."""
    placed = sorted((row for row in rows if row["figure"]), key=lambda row: -row["figure"])
    if not total:
        return [_("目录里还没有数据集")]
    if not placed:
        return [_("这一图层还没有可以画出的数字")]
    top = placed[:3]
    names = in_a_row(row["name"] for row in top)
    return FINDINGS.get(layer, _category_finding)(names, top, rows, total, label)


def _count_finding(names, top, rows, total, label) -> list[str]:
    number = sum(row["count"] for row in top)
    share = _("占 %(share)s%%") % {"share": f"{100 * number / total:.1f}"}
    where = {2: _("%(names)s两地"), 3: _("%(names)s三地")}[len(top)] % {"names": names} if len(top) > 1 else names
    return [where, _("有 %(number)s 个数据集，") % {"number": f"{number:,}"}, share]


def _volume_finding(names, top, rows, total, label) -> list[str]:
    return [_("总量最大的是%(names)s，") % {"names": names}, _("合计 %(size)s") % {"size": size_text(sum(row["volume"] for row in top))}]


def _grade_finding(names, top, rows, total, label) -> list[str]:
    good, counted = sum(row["good"] for row in rows), sum(row["count"] for row in rows)
    share = f"{100 * good / counted:.1f}" if counted else "0"
    return [_("A、B 两级占 %(share)s%%，") % {"share": share}, _("占比最高的是%(names)s") % {"names": names}]


def _category_finding(names, top, rows, total, label) -> list[str]:
    number = sum(row["figure"] for row in rows if row["figure"])
    return [_("“%(label)s”的数据集 %(number)s 个，") % {"label": label, "number": f"{number:,}"}, _("最多的是%(names)s") % {"names": names}]


FINDINGS: dict[str, Callable] = {"count": _count_finding, "volume": _volume_finding, "grade": _grade_finding}


def sector_matrix(query: SearchQuery | None = None) -> dict:
    """Sector × modality: {"columns": [{"code", "label"}], "rows": [{"code", "label", "total", "url", "cells": [{"count",
    "step", "url", "demands"}]}], "legend", "finding", "demands": open demands shown}. A dataset of two modalities counts in both cells."""
    query = query or SearchQuery()
    backend = backends.get_backend()
    pairs = backend.crosstab(query, "sector", "modality")
    totals = {item.value: item.count for item in backend.counts(query, "sector")}
    met = {modality for _sector, modality in pairs}
    columns = [{"code": code, "label": label} for code, label in term_choices("modality") if code != "other" or code in met]
    limits, wanted = quantile_limits(pairs.values()), open_demands()
    rows = [
        {
            "code": code,
            "label": label,
            "total": totals.get(code, 0),
            "url": listing_url(query, sector=code),
            "cells": [_cell(query, pairs, code, column["code"], limits, wanted) for column in columns],
        }
        for code, label in term_choices("sector")
    ]
    rows.sort(key=lambda row: -row["total"])
    return {
        "columns": columns,
        "rows": rows,
        "legend": legend("count", [count for count in pairs.values() if count], limits),
        "finding": _matrix_finding(rows, columns),
        "demands": sum(wanted.values()),
    }


def _cell(query, pairs, sector, modality, limits, wanted) -> dict:
    count = pairs.get((sector, modality), 0)
    url = listing_url(query, sector=sector, modality=modality)
    return {"count": count, "step": step_of(count, limits), "url": url, "demands": wanted.get((sector, modality), 0)}


def open_demands() -> dict[tuple[str, str], int]:
    """Published demands nothing has been matched with, per sector and modality."""
    table = {}
    rows = Demand.objects.filter(state=Demand.State.PUBLISHED, matches=None).values_list("sectors", "modalities")[:1000]
    for sectors, modalities in rows:
        for pair in {(sector, modality) for sector in sectors for modality in modalities}:
            table[pair] = table.get(pair, 0) + 1
    return table


def _matrix_finding(rows, columns) -> list[str]:
    gap = " · " if is_english() else ""
    named = [(cell["count"], f"{row['label']}{gap}{column['label']}") for row in rows for cell, column in zip(row["cells"], columns, strict=True)]
    cells = [cell for cell in named if cell[0]]
    if not cells:
        return [_("行业与模态的格子都还空着")]
    cells.sort(reverse=True)
    top = in_a_row(name for _count, name in cells[:2])
    empty = [row["label"] for row in rows if not row["total"]]
    if not empty:
        thin = in_a_row(row["label"] for row in rows[-2:])
        return [_("%(top)s最厚，") % {"top": top}, _("%(thin)s仍薄") % {"thin": thin}]
    return [_("%(top)s最厚，") % {"top": top}, _("%(number)d 个领域还没有数据集") % {"number": len(empty)}]


def portal_network(query: SearchQuery | None = None) -> list[dict]:
    """Portals known here, the national one first:
    [{"id", "name", "short_name", "role", "role_label", "base_url", "is_self", "count", "volume", "share", "url"}]."""
    query = query or SearchQuery()
    backend = backends.get_backend()
    counts = {item.value: item.count for item in backend.counts(query, "portal")}
    volumes, total = backend.volume(query, "portal"), sum(counts.values())
    rows = [
        {
            "id": portal.id,
            "name": portal_label(portal.id, portal.name),
            "short_name": portal.short_name,
            "role": portal.role,
            "role_label": portal.get_role_display(),
            "base_url": portal.base_url,
            "is_self": portal.is_self,
            "count": counts.get(portal.id, 0),
            "volume": int(volumes.get(portal.id, 0)),
            "share": round(100 * counts.get(portal.id, 0) / total, 1) if total else 0,
            "url": listing_url(query, portal=portal.id),
        }
        for portal in Portal.objects.all()
    ]
    return sorted(rows, key=lambda row: (row["role"] != Portal.Role.NATIONAL, row["id"] != settings.PORTAL_ID, -row["count"], row["id"]))
