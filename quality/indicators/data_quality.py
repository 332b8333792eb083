"""0201 格式规范性, 0204 结构完整性, 0208 内容干净性 from the profiles of the samples.

Every rate counts at its one-sided exact 95 % upper bound, so that a tiny sample cannot score 100. Unreadable files are the
exception: each file of the sample was read, so their share is known.
"""

from quality.indicators.checks import block, bounded, check, contents, evidence, media, weighted, whole
from quality.indicators.registry import NOT_MEASURED, Measure, Snapshot, measures
from quality.statistics import declining, upper_bound

DEFAULTS = {
    "0201": {"bad": ["0", "0.05"], "parts": {"files": "0.4", "rows": "0.3", "cells": "0.3"}},
    "0204": {"tolerance": "0.05", "parts": {"mean": "0.5", "columns": "0.3", "manifest": "0.2"}},
    "0208": {
        "bad": ["0.005", "0.2"],
        "parts": {"duplicates": "0.4", "dirty": "0.25", "near": "0.15", "texts": "0.1", "outliers": "0.1", "image": "0.5", "audio": "0.5"},
    },
}
REPETITIVE_BY_NATURE = "log"  # time series and logs repeat; neither near duplicates nor short lines are faults there


def rate(k: int, n: int) -> dict:
    """Count, size, rate and bound as words for the report."""
    return {"count": k, "n": n, "rate": f"{k / n if n else 0:.4%}", "upper": f"{upper_bound(min(k, n), n):.4%}"}


def rules_of(snapshot: Snapshot, code: str) -> dict:
    """The scheme's limits of an indicator; what they leave out is as the default."""
    stored, default = snapshot.limits.get(code) or {}, DEFAULTS[code]
    return default | stored | {"parts": default["parts"] | (stored.get("parts") or {})}


def measured(snapshot: Snapshot, code: str, score: float, value: dict, n: int, checks: list[dict], *, version: int = 2) -> Measure:
    value, rule = value | {"checks": [item for item in checks if item]}, f"{code}/{version}"
    return Measure("measured", round(score, 2), value, n, source="sample", rule=rule, evidence=evidence(snapshot, code))


@measures("0201")
def format_conformity(snapshot: Snapshot) -> Measure:
    """Share-weighted: files decoded, rows of the header's width, cells of their column's type."""
    if not snapshot.profiles:
        return NOT_MEASURED
    rules = rules_of(snapshot, "0201")
    good, bad = map(float, rules["bad"])
    files, broken = files_of(snapshot)
    if not snapshot.tables and not media(snapshot) and not broken:
        return NOT_MEASURED  # formats this version does not look into
    parts, value = {"files": declining(broken / files, good, bad)}, {"files": {"count": broken, "n": files}}
    checks = [check("0201.files", broken, files, parts["files"])]
    lines = sum(profile["rows"] for profile in snapshot.tables)
    if snapshot.tables:
        ragged = sum(profile.get("ragged_rows", 0) + profile.get("blank_rows", 0) + profile.get("swallowed_lines", 0) for profile in snapshot.tables)
        ragged = min(lines, ragged + sum(_nonconforming(profile) for profile in snapshot.tables))
        cells, misfits = cells_of(snapshot, "misfits")
        misfits = min(cells, misfits + sum(min(profile.get("bad_bytes", 0), profile.get("cells", 0)) for profile in snapshot.tables))
        for name, k, n in (("rows", ragged, lines), ("cells", misfits, cells)):
            parts[name], found = bounded(f"0201.{name}", k, n, good, bad)
            value[name] = rate(k, n)
            checks.append(found)
    return measured(snapshot, "0201", weighted(parts, rules["parts"]), value, lines or files, checks)


def files_of(snapshot: Snapshot) -> tuple[int, int]:
    """(files, unreadable ones); members of an archive count as files."""
    files = broken = 0
    for profile in snapshot.profiles:
        members = whole(profile.get("member_count"))
        files += members or 1
        broken += whole(profile.get("broken_members")) if members else not profile.get("readable")
    return files, min(files, broken)


def _nonconforming(profile: dict) -> int:
    """Records of the TC609 layout that do not hold to it."""
    records = block(profile, "records")
    return max(0, whole(records.get("like")) - whole(records.get("conforming")))


def cells_of(snapshot: Snapshot, name: str) -> tuple[int, int]:
    columns = [column for profile in snapshot.tables for column in profile["columns"] if name in column]
    return sum(column["filled"] for column in columns), sum(whole(column[name]) for column in columns)


@measures("0204")
def structural_completeness(snapshot: Snapshot) -> Measure:
    """Missing values per column, disguised ones included; a mean alone would hide one bad column."""
    columns = [column for profile in snapshot.tables for column in profile["columns"] if column["filled"] + column["missing"]]
    if not columns:
        return NOT_MEASURED
    rules = rules_of(snapshot, "0204")
    tolerance = float(rules["tolerance"])
    bounds = [upper_bound(column["missing"], column["filled"] + column["missing"]) for column in columns]
    parts = {"mean": sum(declining(bound, tolerance, 5 * tolerance) for bound in bounds) / len(bounds)}
    within = sum(column["missing"] <= tolerance * (column["filled"] + column["missing"]) for column in columns)
    parts["columns"] = 100.0 * within / len(columns)
    missing, cells = sum(column["missing"] for column in columns), sum(column["filled"] + column["missing"] for column in columns)
    checks = [check("0204.cells", missing, cells, parts["mean"]), check("0204.columns", len(columns) - within, len(columns), parts["columns"])]
    files, broken = files_of(snapshot)
    if any(whole(profile.get("member_count")) for profile in snapshot.profiles):
        parts["manifest"] = declining(broken / files, 0.0, 0.05)
        checks.append(check("0204.manifest", broken, files, parts["manifest"]))
    value = {"cells": rate(missing, cells), "columns": {"count": len(columns) - within, "n": len(columns)}}
    return measured(snapshot, "0204", weighted(parts, rules["parts"]), value, sum(profile["rows"] for profile in snapshot.tables), checks)


@measures("0208")
def content_cleanliness(snapshot: Snapshot) -> Measure:
    """Duplicates, near duplicates, dirt, poor texts and far outliers of tables; faulty images; faulty recordings."""
    rules = rules_of(snapshot, "0208")
    good, bad = map(float, rules["bad"])
    faults = _table_faults(snapshot) | _media_faults(snapshot)
    if not faults:
        return NOT_MEASURED
    parts, value, checks = {}, {}, []
    for name, (k, n) in faults.items():
        parts[name], found = bounded(f"0208.{name}", k, n, good, bad)
        value[name] = rate(min(k, n), n)
        checks.append(found)
    n = sum(profile["rows"] for profile in snapshot.tables) or sum(whole(group.get("count")) for group in media(snapshot))
    return measured(snapshot, "0208", weighted(parts, rules["parts"]), value, n, checks)


def _table_faults(snapshot: Snapshot) -> dict[str, tuple[int, int]]:
    lines = sum(profile["rows"] for profile in snapshot.tables)
    if not lines:
        return {}
    doubles = sum(profile.get("duplicate_rows", 0) for profile in snapshot.tables)
    cells, dirty = cells_of(snapshot, "dirty")
    out = {"duplicates": (min(doubles, lines), lines), "dirty": (min(dirty, cells), cells)}
    seen = [item for item in contents(snapshot) if item.get("modality") != REPETITIVE_BY_NATURE]
    near = [block(item, "near_duplicates") for item in seen]
    texts = [block(item, "texts") for item in seen]
    if n := sum(whole(item.get("n")) for item in near):
        out["near"] = (sum(whole(item.get("count")) for item in near), n)
    if n := sum(whole(item.get("n")) for item in texts):
        out["texts"] = (sum(whole(item.get(name)) for item in texts for name in ("short", "symbols", "repetitive")), n)
    numeric, outliers = cells_of(snapshot, "outliers")
    if numeric:
        out["outliers"] = (outliers, numeric)
    return {name: (min(k, n), n) for name, (k, n) in out.items() if n}


def _media_faults(snapshot: Snapshot) -> dict[str, tuple[int, int]]:
    out = {}
    for kind in ("image", "audio"):
        groups = [group for group in media(snapshot) if group.get("kind") == kind]
        if n := sum(whole(group.get("count")) for group in groups):
            out[kind] = (min(n, sum(whole(number) for group in groups for number in block(group, "faults").values())), n)
    return out
