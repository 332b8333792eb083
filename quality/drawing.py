"""Coordinates for the SVG of reports: wheel, trend, histograms. Plain numbers and strings; the templates draw."""

import math

from quality.vetoes import DIMENSION_NAMES
from quality.words import told

CENTRE, RADIUS, ARC = 210.0, 130.0, 166.0


def wheel(indicators: list[dict], dimensions: list[dict] = ()) -> dict:
    """One sector per indicator, as long as its score, hatched where it is 未测; the sector's median as a line across, dimensions around."""
    half = math.pi / len(indicators)
    spokes, voids, wedges, labels, medians = [], [], [], [], []
    for position, row in enumerate(indicators):
        angle = 2 * half * (position + 0.5) - math.pi / 2
        spokes.append(f"M{CENTRE:g} {CENTRE:g}L{_at(angle - half, RADIUS)}")
        x, y = _xy(angle, RADIUS + 18)
        labels.append({"x": f"{x:.1f}", "y": f"{y + 4.5:.1f}", "text": row["code"]})
        if row["status"] in ("measured", "declared") and row["score"] is not None:
            score = float(row["score"])
            wedges.append({"path": _sector(angle, half * 0.86, RADIUS * score / 100), "low": score < 60, "declared": row["status"] == "declared"})
        else:
            voids.append(_sector(angle, half * 0.86, RADIUS))
        if row.get("median"):
            medians.append(_arc(angle - half, angle + half, RADIUS * float(row["median"]) / 100))
    rings = [f"{RADIUS * part / 5:g}" for part in range(1, 5)]
    return {"spokes": "".join(spokes), "voids": voids, "wedges": wedges, "labels": labels, "rings": rings, "edge": f"{RADIUS:g}",
            "medians": medians, "dimensions": _dimensions(indicators, dimensions, half)}  # fmt: skip


def _dimensions(indicators, dimensions, half) -> list[dict]:
    out, start = [], 0
    for row in dimensions:
        count = sum(item["dimension"] == row["code"] for item in indicators)
        low, high = 2 * half * start - math.pi / 2, 2 * half * (start + count) - math.pi / 2
        middle = (low + high) / 2
        x, y = _xy(middle, ARC + 14)
        anchor = "start" if math.cos(middle) > 0.35 else "end" if math.cos(middle) < -0.35 else "middle"
        name = told(str(DIMENSION_NAMES[row["code"]]))
        score = f"{float(row['score']):.1f}" if row["score"] else "–"
        out.append({"path": _arc(low + 0.045, high - 0.045, ARC), "x": f"{x:.1f}", "y": f"{y + 5:.1f}", "anchor": anchor, "text": f"{name} {score}"})
        start += count
    return out


def _sector(angle: float, half: float, radius: float) -> str:
    return f"M{CENTRE:g} {CENTRE:g}L{_at(angle - half, radius)}A{radius:.1f} {radius:.1f} 0 0 1 {_at(angle + half, radius)}Z"


def _arc(low: float, high: float, radius: float) -> str:
    return f"M{_at(low, radius)}A{radius:.1f} {radius:.1f} 0 {int(high - low > math.pi)} 1 {_at(high, radius)}"


def _xy(angle: float, radius: float) -> tuple[float, float]:
    return CENTRE + radius * math.cos(angle), CENTRE + radius * math.sin(angle)


def _at(angle: float, radius: float) -> str:
    return "{:.1f} {:.1f}".format(*_xy(angle, radius))


def chart(points: list[dict], bands: list[dict] = ()) -> dict:
    """The trend as SVG coordinates in a 560 × 210 box, 0–100 from y 176 to 22, with a mark where the scheme changed."""
    step = 440 / max(1, len(points) - 1)
    out, marks = [], []
    for position, point in enumerate(points):
        x, y = 78 + step * position, 176 - 1.54 * float(point["score"])
        out.append(point | {"x": f"{x:.1f}", "y": f"{y:.1f}", "label_y": f"{max(14.0, y - 10):.1f}", "shown": len(points) <= 8 or position % 2 == 0})
        if position and point["scheme"] != points[position - 1]["scheme"]:
            marks.append({"x": f"{x - step / 2:.1f}", "text": point["scheme"]})
    lines = [{"y": f"{176 - 1.54 * row['from']:.1f}", "text_y": f"{180.5 - 1.54 * row['from']:.1f}", "text": f"{row['grade']} {row['from']}"}
             for row in bands if row["from"]]  # fmt: skip
    return {"points": out, "marks": marks, "bands": lines, "line": "M" + " ".join(f"{point['x']} {point['y']}" for point in out) if out else ""}


def histogram(column: dict) -> list[dict]:
    """Bars in a 100 × 30 box."""
    bars = column.get("histogram") or []
    top = max([bar["count"] for bar in bars], default=0)
    if not top:
        return []
    width = 100 / len(bars)
    heights = [30 * bar["count"] / top for bar in bars]
    return [
        {"x": f"{position * width:.2f}", "w": f"{width * 0.86:.2f}", "h": f"{height:.2f}", "y": f"{30 - height:.2f}"}
        for position, height in enumerate(heights)
    ]


def shares(column: dict) -> list[dict]:
    """The most frequent values as parts of a 100-wide strip: [{"x", "w", "value", "share"}]."""
    filled, out, x = column.get("filled") or 0, [], 0.0
    for row in (column.get("top") or [])[:5]:
        if filled and isinstance(row.get("count"), int):
            width = 100.0 * min(row["count"], filled) / filled
            out.append({"x": f"{x:.2f}", "w": f"{max(0.0, width - 0.6):.2f}", "value": row["value"], "share": f"{width:.0f}"})
            x += width
    return out
