"""Geometry of small pictures drawn as SVG: the portal network and histograms. Pure functions on plain values."""

NODE, GAP_X, GAP_Y, PER_ROW, TOP = 56, 92, 78, 6, 150  # the network's measures in drawing units


def network(portals: list[dict]) -> dict:
    """{"width", "height", "nodes": [portal | {"x", "y", "line": path from the hub or "", "thick"}]}; x, y are the node's centre."""
    if not portals:
        return {"nodes": [], "width": 0, "height": 0}
    hub, others = portals[0], portals[1:]
    rows = [others[start : start + PER_ROW] for start in range(0, len(others), PER_ROW)]
    width = max(360, min(len(others), PER_ROW) * GAP_X)
    most = max([portal["count"] for portal in others] or [1]) or 1
    nodes = [hub | {"x": width // 2, "y": 36, "line": ""}]
    for number, row in enumerate(rows):
        left = (width - len(row) * GAP_X) // 2 + GAP_X // 2
        for column, portal in enumerate(row):
            x, y = left + column * GAP_X, TOP + number * (NODE + GAP_Y)
            line = f"M{width // 2} 96C{width // 2} {y - 50} {x} 96 {x} {y - NODE // 2}"
            nodes.append(portal | {"x": x, "y": y, "line": line, "thick": 1 + round(4 * portal["count"] / most)})
    height = (TOP + (len(rows) - 1) * (NODE + GAP_Y) + 70) if rows else 108
    return {"nodes": nodes, "width": width, "height": height}


def bars(counts: list[float], *, width: int = 96, height: int = 30) -> list[dict]:
    """Bars of a histogram: [{"x", "y", "width", "height"}], the highest filling the height."""
    if not counts:
        return []
    most, step = max(counts), width / len(counts)
    gap = 1 if step > 3 else 0
    return [
        {
            "x": round(number * step, 1),
            "y": round(height * (1 - count / most), 1) if most else height,
            "width": round(step - gap, 1),
            "height": round(height * count / most, 1) if most else 0,
        }
        for number, count in enumerate(counts)
    ]
