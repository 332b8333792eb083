"""The resource map: one page, and its tables as CSV."""

import csv
from dataclasses import replace
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from catalog.cells import inert
from catalog.exceptions import DomainError
from catalog.formatting import in_a_row
from catalog.services import mapping
from catalog.views.problems import refuse

SHOWN_ROWS = 12


@require_safe
def resource_map(request):
    layer = request.GET.get("layer", "count")
    try:
        query = mapping.query_from(request.GET)
        data = mapping.resource_map(layer, query, value=request.GET.get("value", ""))
    except DomainError as error:
        return refuse(request, error)
    table = request.GET.get("table")
    if table:
        return _csv(table, query, data)
    for item in data["values"]:
        item["map_url"] = _address(query, layer=layer, value=item["value"])
    ranked = sorted((row for row in data["regions"] if row["count"]), key=lambda row: (-(row["figure"] or 0), -row["count"]))
    context = {
        "map": data,
        "ranked": ranked[:SHOWN_ROWS],
        "ranked_rest": ranked[SHOWN_ROWS:],
        "empty_regions": len(data["regions"]) - len(ranked),
        "layers": [
            {"label": label, "url": _address(query, layer=key), "current": key == layer} for key, (label, _dimension) in mapping.LAYERS.items()
        ],
        "filters": list(_filters(query, layer)),
        "matrix": mapping.sector_matrix(query),
        "portals": mapping.portal_network(query),
        "csv": {name: _address(query, layer=layer, value=data["value"], table=name) for name in ("regions", "matrix", "portals")},
        "now": timezone.now(),
    }
    return render(request, "catalog/map/page.html", context)


def _address(query, **more):
    params = {name: list(values) for name, values in query.filters.items()} | {name: value for name, value in more.items() if value}
    if query.text:
        params["q"] = query.text
    return "?" + urlencode(params, doseq=True)


def _filters(query, layer):
    """What the map is narrowed to, each with the address without it."""
    for name, values in query.filters.items():
        labels = {item.value: item.label for item in mapping.backends.get_backend().counts(mapping.narrowed(query, **{name: values}), name)}
        rest = {other: kept for other, kept in query.filters.items() if other != name}
        yield {"label": in_a_row(labels.get(value, value) for value in values), "url": _address(replace(query, filters=rest), layer=layer)}
    if query.text:
        yield {"label": query.text, "url": _address(replace(query, text=""), layer=layer)}


TABLES = {
    "regions": (
        ["code", "name", "figure", "count", "volume_bytes", "grade_ab", "listed_7_days"],
        lambda query, data: [[r["code"], r["name"], r["figure"], r["count"], r["volume"], r["good"], r["recent"]] for r in data["regions"]],
    ),
    "matrix": (["sector", "sector_name", "modality", "modality_name", "count"], lambda query, data: _matrix_rows(query)),
    "portals": (
        ["portal", "name", "role", "count", "volume_bytes"],
        lambda query, data: [[p["id"], p["name"], p["role"], p["count"], p["volume"]] for p in mapping.portal_network(query)],
    ),
}


def _matrix_rows(query):
    matrix = mapping.sector_matrix(query)
    for row in matrix["rows"]:
        for cell, column in zip(row["cells"], matrix["columns"], strict=True):
            yield [row["code"], row["label"], column["code"], column["label"], cell["count"]]


def _csv(table, query, data):
    """UTF-8 with a byte order mark, so that spreadsheets read the Chinese."""
    if table not in TABLES:
        table = "regions"
    header, rows = TABLES[table]
    response = HttpResponse("\ufeff", content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="map-{table}-{data["layer"]}.csv"'
    writer = csv.writer(response)
    writer.writerow(header)
    writer.writerows([inert(value) for value in row] for row in rows(query, data))
    return response
