"""0201 格式规范性, 0204 结构完整性, 0208 内容干净性 from the profiles of the samples.

Every rate counts at its one-sided exact 95 % upper bound, so that a tiny sample cannot score 100. Unreadable files are the
exception: each file of the sample was read, so their share is known.
"""

from quality.indicators.registry import NOT_MEASURED, Measure, Snapshot, measures
from quality.statistics import declining, upper_bound

DEFAULTS = {
    "0201": {"bad": ["0", "0.05"], "parts": {"files": "0.4", "rows": "0.3", "cells": "0.3"}},
    "0204": {"tolerance": "0.05", "parts": {"mean": "0.5", "columns": "0.3"}},
    "0208": {"bad": ["0.005", "0.2"], "parts": {"duplicates": "0.6", "dirty": "0.4"}},
}


def rate(k: int, n: int) -> dict:
    """Count, size, rate and bound as words for the report."""
    return {"count": k, "n": n, "rate": f"{k / n if n else 0:.4%}", "upper": f"{upper_bound(min(k, n), n):.4%}"}


def _rules(snapshot: Snapshot, code: str) -> dict:
    return snapshot.limits.get(code) or DEFAULTS[code]


def _weighted(parts: dict[str, float], shares: dict[str, str]) -> float:
    total = sum(float(shares[name]) for name in parts)
    return sum(score * float(shares[name]) for name, score in parts.items()) / total


def _evidence(snapshot: Snapshot, code: str) -> tuple:
    found = []
    for profile in snapshot.profiles:
        for item in profile.get("findings", []):
            if item["indicator"] != code or item["severity"] == "info":
                continue
            where = " ".join(filter(None, [profile.get("name", ""), item["place"]]))
            found.append({"place": where, "code": item["code"], "message": item["message"]})
            found += [{"place": example["place"] if isinstance(example["place"], str) else f"{where}，第 {example['place']} 行",
                       "code": item["code"], "message": example["text"]} for example in item.get("examples", [])]  # fmt: skip
    return tuple(found[:20])


@measures("0201")
def format_conformity(snapshot: Snapshot) -> Measure:
    """Share-weighted: files decoded, rows of the header's width, cells of their column's type."""
    if not snapshot.profiles:
        return NOT_MEASURED
    rules = _rules(snapshot, "0201")
    good, bad = map(float, rules["bad"])
    broken = sum(not profile.get("readable") for profile in snapshot.profiles)
    rows = sum(profile["rows"] for profile in snapshot.tables)
    ragged = min(
        rows, sum(profile.get("ragged_rows", 0) + profile.get("blank_rows", 0) + profile.get("swallowed_lines", 0) for profile in snapshot.tables)
    )
    cells, misfits = _cells(snapshot, "misfits")
    misfits = min(cells, misfits + sum(min(profile.get("bad_bytes", 0), profile.get("cells", 0)) for profile in snapshot.tables))
    parts = {"files": declining(broken / len(snapshot.profiles), good, bad)}
    value = {"files": {"count": broken, "n": len(snapshot.profiles)}}
    if snapshot.tables:
        parts |= {"rows": declining(upper_bound(ragged, rows), good, bad), "cells": declining(upper_bound(misfits, cells), good, bad)}
        value |= {"rows": rate(ragged, rows), "cells": rate(misfits, cells)}
    elif not broken:
        return NOT_MEASURED  # formats this version does not look into
    return Measure(
        "measured", round(_weighted(parts, rules["parts"]), 2), value, rows, source="sample", rule="0201/1", evidence=_evidence(snapshot, "0201")
    )


def _cells(snapshot: Snapshot, name: str) -> tuple[int, int]:
    columns = [column for profile in snapshot.tables for column in profile["columns"] if name in column]
    return sum(column["filled"] for column in columns), sum(column[name] for column in columns)


@measures("0204")
def structural_completeness(snapshot: Snapshot) -> Measure:
    """Missing values per column, disguised ones included; a mean alone would hide one bad column."""
    columns = [column for profile in snapshot.tables for column in profile["columns"] if column["filled"] + column["missing"]]
    if not columns:
        return NOT_MEASURED
    rules = _rules(snapshot, "0204")
    tolerance = float(rules["tolerance"])
    bounds = [upper_bound(column["missing"], column["filled"] + column["missing"]) for column in columns]
    mean = sum(declining(bound, tolerance, 5 * tolerance) for bound in bounds) / len(bounds)
    within = sum(column["missing"] <= tolerance * (column["filled"] + column["missing"]) for column in columns)
    share = 100.0 * within / len(columns)
    score = _weighted({"mean": mean, "columns": share}, rules["parts"])
    missing, cells = sum(column["missing"] for column in columns), sum(column["filled"] + column["missing"] for column in columns)
    value = {"cells": rate(missing, cells), "columns": {"count": len(columns) - within, "n": len(columns)}}
    rows = sum(profile["rows"] for profile in snapshot.tables)
    return Measure("measured", round(score, 2), value, rows, source="sample", rule="0204/1", evidence=_evidence(snapshot, "0204"))


@measures("0208")
def content_cleanliness(snapshot: Snapshot) -> Measure:
    """Exact duplicates of whole rows, and cells with mojibake, control characters or HTML remnants."""
    rows = sum(profile["rows"] for profile in snapshot.tables)
    if not rows:
        return NOT_MEASURED
    rules = _rules(snapshot, "0208")
    good, bad = map(float, rules["bad"])
    doubles = min(rows, sum(profile.get("duplicate_rows", 0) for profile in snapshot.tables))
    cells, dirty = _cells(snapshot, "dirty")
    parts = {"duplicates": declining(upper_bound(doubles, rows), good, bad), "dirty": declining(upper_bound(dirty, cells), good, bad)}
    value = {"duplicates": rate(doubles, rows), "dirty": rate(dirty, cells)}
    return Measure(
        "measured", round(_weighted(parts, rules["parts"]), 2), value, rows, source="sample", rule="0208/1", evidence=_evidence(snapshot, "0208")
    )
