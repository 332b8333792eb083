"""How far the values of a column moved between two samples: the population stability index over its labels or bins. Pure."""

import hashlib
import math

LABELS = 50  # more distinct values are no labels
SMALL = 1e-4
LIMIT = 0.2  # PSI from which a column has drifted


def distributions(profiles) -> dict[str, dict]:
    """{column: {"labels": {digest of the value: share}} or {"edges": [...], "shares": [...]}} of columns that can be compared."""
    out = {}
    for profile in profiles:
        for column in profile.get("columns") or []:
            found = _labels(column) or _bins(column)
            if found:
                out.setdefault(str(column.get("name") or "")[:80], found)
    return dict(sorted(out.items())[:100])


def _labels(column: dict) -> dict | None:
    top, filled = column.get("top"), column.get("filled") or 0
    if not isinstance(top, list) or not filled or not isinstance(column.get("distinct"), int) or not 2 <= column["distinct"] <= LABELS:
        return None
    counts = {_digest(row.get("value")): row.get("count", 0) for row in top if isinstance(row, dict) and isinstance(row.get("count"), int)}
    return {"labels": {name: f"{count / filled:.4f}" for name, count in sorted(counts.items())}} if len(counts) >= 2 else None


def _digest(value) -> str:
    return hashlib.sha256(str(value).encode("utf-8", "replace")).hexdigest()[:12]


def _bins(column: dict) -> dict | None:
    bins = column.get("histogram")
    if not isinstance(bins, list) or len(bins) < 3:
        return None
    try:
        edges = [float(bins[0]["from"]), *(float(row["to"]) for row in bins)]
        counts = [int(row["count"]) for row in bins]
    except (KeyError, TypeError, ValueError):
        return None
    total = sum(counts)
    if not total or any(not math.isfinite(edge) for edge in edges) or any(b <= a for a, b in zip(edges, edges[1:], strict=False)):
        return None
    return {"edges": [f"{edge:.6g}" for edge in edges], "shares": [f"{count / total:.4f}" for count in counts]}


def psi(before: dict, now: dict) -> float | None:
    """Σ (now − before)·ln(now / before); None where the two cannot be compared."""
    if "labels" in before and "labels" in now:
        names = sorted(before["labels"].keys() | now["labels"].keys())
        return _psi([float(before["labels"].get(name, 0)) for name in names], [float(now["labels"].get(name, 0)) for name in names])
    if "edges" in before and "edges" in now:
        edges = [float(edge) for edge in before["edges"]]
        return _psi([float(share) for share in before["shares"]] + [0.0, 0.0], _rebinned(now, edges))
    return None


def _psi(before: list[float], now: list[float]) -> float:
    pairs = [(max(SMALL, a), max(SMALL, b)) for a, b in zip(before, now, strict=True)]
    return sum((b - a) * math.log(b / a) for a, b in pairs)


def _rebinned(now: dict, edges: list[float]) -> list[float]:
    """The mass of `now` in bins of other edges, even within its own; what lies below and above comes last."""
    own, out = [float(edge) for edge in now["edges"]], [0.0] * (len(edges) + 1)
    spans = [*zip(edges, edges[1:], strict=False), (-math.inf, edges[0]), (edges[-1], math.inf)]
    for low, high, share in zip(own, own[1:], map(float, now["shares"]), strict=False):
        for place, (start, end) in enumerate(spans):
            overlap = min(high, end) - max(low, start)
            if overlap > 0:
                out[place] += share * overlap / (high - low)
    return out


def drifted(before: dict, now: dict) -> list[dict]:
    """[{"column", "psi"}] of columns that moved beyond the limit, the furthest first."""
    found = [(value, name) for name in before.keys() & now.keys() if (value := psi(before[name], now[name])) is not None and value > LIMIT]
    return [{"column": name, "psi": f"{value:.2f}"} for value, name in sorted(found, key=lambda row: (-row[0], row[1]))]
