"""Page 13: figures of the catalogue, each with its table for download."""

import csv

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from catalog.cells import inert
from catalog.services import statistics


@require_safe
def page(request):
    now = timezone.now()
    parts = statistics.breakdowns()
    growth = statistics.growth(now)
    if request.GET.get("table"):
        return _csv(request.GET["table"], parts, growth, now)
    line = statistics.curve(row["total"] for row in growth)
    context = {
        "totals": statistics.totals(),
        "health": statistics.health(now),
        "growth": growth,
        "line": line,
        "path": "M" + "L".join(f"{point['x']} {point['y']}" for point in line),
        "bars": _bars(growth),
        "finding": _finding(growth),
        "parts": [part | {"shown": part["rows"][: statistics.ROWS], "rest": part["rows"][statistics.ROWS :]} for part in parts],
        "used": statistics.most_used(),
        "now": now,
    }
    return render(request, "catalog/statistics/page.html", context)


def _finding(growth) -> str:
    added = sum(row["listed"] for row in growth)
    return _("一年来上架 %(added)d 个，在册 %(total)d 个") % {"added": added, "total": growth[-1]["total"]}


def _bars(growth, width: float = 24) -> list[dict]:
    points = statistics.curve(row["downloads"] for row in growth)
    return [
        point | {"left": round(min(max(point["x"] - width / 2, 0), 560 - width), 1), "width": width, "height": round(150 - point["y"], 1)}
        for point in points
    ]


def _csv(table, parts, growth, now):
    """UTF-8 with a byte order mark, so that spreadsheets read the Chinese; an unknown name gives the distributions."""
    response = HttpResponse("\ufeff", content_type="text/csv; charset=utf-8")
    writer = csv.writer(response)
    if table == "growth":
        header, rows = ["month", "listed", "total", "downloads", "requests"], [row.values() for row in growth]
    elif table == "health":
        header, rows = ["sign", "label", "part", "whole", "share", "note"], [row.values() for row in statistics.health(now)]
    else:
        table, header = "distribution", ["dimension", "value", "label", "count", "bytes", "share"]
        rows = [[part["name"], row["value"], row["label"], row["count"], row["bytes"], row["share"]] for part in parts for row in part["rows"]]
    response["Content-Disposition"] = f'attachment; filename="statistics-{table}.csv"'
    writer.writerow(header)
    writer.writerows([inert(value) for value in row] for row in rows)
    return response
