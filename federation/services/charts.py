"""Shapes of the centre's pictures, reckoned here and drawn as SVG by the templates. Numbers are text: in SVG they are never localized."""

from datetime import timedelta
from statistics import median

from django.db.models import Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from federation.models import SyncRun

TARGET_MS = 30_000
DAYS = 14
NODES, NODES_A_ROW = 60, 12  # of the picture of the network; the others are counted


def spark(values: list[int]) -> dict | None:
    """Path of a small line chart, 132 by 28, newest right; None below two values."""
    values = values[-24:]
    if len(values) < 2:
        return None
    top = max(max(values), 1)
    points = [(round(index * 132 / (len(values) - 1), 1), round(26.7 - value * 25.4 / top, 1)) for index, value in enumerate(values)]
    limit = str(round(26.7 - TARGET_MS * 25.4 / top, 1)) if top >= TARGET_MS else None
    end = [str(value) for value in points[-1]]
    return {"path": "M" + " ".join(f"{x} {y}" for x, y in points), "end": end, "limit": limit, "bad": values[-1] > TARGET_MS}


def daily() -> dict | None:
    """Changes applied on each of the last 14 days, and what was parked; None while nothing was ever applied."""
    today = timezone.localdate()
    first = today - timedelta(days=DAYS - 1)
    rows = SyncRun.objects.filter(started_at__date__gte=first).annotate(day=TruncDate("started_at")).values_list("day").order_by()
    found = {day: (applied, parked) for day, applied, parked in rows.annotate(applied=Sum("applied"), parked=Sum("quarantined"))}
    days = [(first + timedelta(days=number), *found.get(first + timedelta(days=number), (0, 0))) for number in range(DAYS)]
    top = _round_up(max(applied for _day, applied, _parked in days))
    if not any(applied or parked for _day, applied, parked in days):
        return None
    places = [(_x(number), _y(applied, top), _y(parked, top)) for number, (_day, applied, parked) in enumerate(days)]
    return {
        "line": "M" + " ".join(f"{x} {y}" for x, y, _parked in places),
        "parked_line": "M" + " ".join(f"{x} {y}" for x, _y_, y in places),
        "grid": [{"y": str(_y(top * share // 4, top)), "value": top * share // 4} for share in (0, 2, 4)],
        "ticks": [{"x": str(places[number][0]), "day": days[number][0]} for number in (0, 7, DAYS - 1)],
        "end": {"x": str(places[-1][0]), "y": str(places[-1][1]), "value": days[-1][1]},
        "most": days[-1][1] == max(applied for _day, applied, _parked in days) > 0,
        "rows": [{"day": day, "applied": applied, "parked": parked} for day, applied, parked in reversed(days)],
    }


def _round_up(value: int) -> int:
    """The end of the axis: one or two digits and zeros, divisible by 4."""
    step = 4
    while step < value:
        step = step * 5 // 2 if str(step)[0] == "4" else step * 2
    return step


def _x(number: int) -> float:
    return round(48 + number * 430 / (DAYS - 1), 1)


def _y(value: int, top: int) -> float:
    return round(150 - value * 128 / top, 1)


def lag(runs: list[tuple]) -> dict | None:
    """Lag over the last 24 hours from (time, milliseconds), oldest first, on an axis that ends above the largest; None below two."""
    if len(runs) < 2:
        return None
    end = timezone.now()
    span = timedelta(hours=24)
    top = max(max(value for _at, value in runs) * 1.1, TARGET_MS * 1.2)
    points = [(round(72 + (1 - (end - at) / span) * 800, 1), round(150 - value * 128 / top, 1)) for at, value in runs]
    return {
        "line": "M" + " ".join(f"{x} {y}" for x, y in points),
        "target_y": str(round(150 - TARGET_MS * 128 / top, 1)),
        "target_ms": TARGET_MS,
        "room_for_zero": TARGET_MS * 128 / top > 18,  # else the two words of the axis lie on each other
        "end": {"x": str(points[-1][0]), "y": str(points[-1][1]), "ms": runs[-1][1]},
        "median_ms": median(value for _at, value in runs),
        "worst_ms": max(value for _at, value in runs),
        "count": len(runs),
        "ticks": [{"x": str(round(72 + share * 200, 1)), "at": end - span * (1 - share / 4)} for share in range(5)],
    }


def topology(rows: list[dict]) -> dict:
    """The network with its health: this portal (or the national one) above, the others below in rows, in the order of the table.
    `rows` of overview.public_view; the peers beyond NODES are counted."""
    hubs = [row for row in rows if row["portal"].role == "national"][:1] or [row for row in rows if row["portal"].is_self]
    peers = [row for row in rows if row not in hubs and (row["peer"] or row["portal"].is_self) and row["condition"] != "invited"]
    shown = peers[:NODES]
    a_row = max(1, min(NODES_A_ROW, len(shown)))
    width = max(a_row * 84, 336)
    nodes = [_node(row, width / 2, 36, None) for row in hubs]
    for place, row in enumerate(shown):
        line, column = divmod(place, a_row)
        in_line = min(a_row, len(shown) - line * a_row)
        x = width / 2 + (column - (in_line - 1) / 2) * 84
        nodes.append(_node(row, x, 156 + line * 100, width / 2))
    height = 116 + (-(-len(shown) // a_row)) * 100 if shown else 84
    return {"nodes": nodes, "width": str(round(width)), "height": str(height), "more": len(peers) - len(shown)}


def _node(row: dict, x: float, y: float, hub: float | None) -> dict:
    path = f"M{round(hub, 1)} 64C{round(hub, 1)} 100 {round(x, 1)} {round(y - 62, 1)} {round(x, 1)} {round(y - 28, 1)}" if hub is not None else ""
    return row | {"x": str(round(x, 1)), "y": str(round(y, 1)), "line": path, "health": health(row)}


def health(row: dict) -> str:
    """ok, warn, bad or none: the colour of a state; its word stands beside it."""
    if row["held"]:
        return "warn"
    return {"ok": "ok", "self": "ok", "diverged": "bad", "revoked": "bad", "invited": "none", "none": "none"}.get(row["condition"], "warn")
