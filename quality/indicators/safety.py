"""0202 安全规范性 and 0205 内容真实性: what a sample shows of personal information, secrets, words to be looked at, and sources."""

import math

from quality.indicators.checks import block, check, contents, evidence, rows, shown, text, whole
from quality.indicators.registry import NOT_MEASURED, Measure, Snapshot, measures
from quality.profiling.privacy import SEVERITY
from quality.statistics import upper_bound

POINTS = {"high": 30.0, "medium": 12.0, "low": 4.0}
UNCONFIRMED = {"high": "medium", "medium": "low", "low": "low"}  # of a word list, until a person confirms: a hit is no violation
AUTOMATIC = 60.0  # of 0205: the rest needs evidence or experts
SOURCES = {"coverage": 0.5, "original": 0.3, "generated": 0.2}


@measures("0202")
def safety(snapshot: Snapshot) -> Measure:
    """100 less, for each kind with hits, severity · (1 + log10(1 + hits in ten thousand records)); less what n cannot exclude."""
    scanned = sum(_scanned(profile) for profile in snapshot.tables)
    if not scanned:
        return NOT_MEASURED
    hits = _personal(snapshot) | _words(snapshot)
    checks, lost = [], POINTS["low"] * math.log10(1 + 10_000 * upper_bound(0, scanned))
    checks.append(check("0202.unseen", 0, scanned, max(0.0, 100.0 - lost)))
    for name, (severity, count) in sorted(hits.items()):
        points = POINTS[severity] * (1 + math.log10(1 + 10_000 * count / scanned))
        lost += points
        checks.append(check(f"0202.{name}", count, max(scanned, count), max(0.0, 100.0 - points), severity=severity))
    value = {"hits": {name: count for name, (_severity, count) in sorted(hits.items())}} | shown(checks)
    return Measure("measured", round(max(0.0, 100.0 - lost), 2), value, scanned, source="sample", rule="0202/1", evidence=evidence(snapshot, "0202"))


def _scanned(profile: dict) -> int:
    """Distinct records that were searched."""
    looked = whole(profile.get("statistic_rows")) or profile["rows"]
    return max(0, looked - whole(profile.get("duplicate_rows")))


def _personal(snapshot: Snapshot) -> dict:
    out: dict[str, tuple[str, int]] = {}
    for profile in snapshot.tables:
        for item in profile.get("personal_information", []):
            kind = text(item.get("kind"))
            severity = SEVERITY.get(kind, "none")
            if item.get("real") is True and severity in POINTS:
                out[kind] = (severity, out.get(kind, ("", 0))[1] + whole(item.get("verified")))
    return out


def _words(snapshot: Snapshot) -> dict:
    out: dict[str, tuple[str, int]] = {}
    for profile in snapshot.tables:
        for item in rows(profile, "word_hits"):
            name, severity = text(item.get("category")), text(item.get("severity"))
            if severity in POINTS and name:
                severity = severity if name == "secret" else UNCONFIRMED[severity]
                out[f"word.{name[:40]}"] = (severity, out.get(f"word.{name[:40]}", ("", 0))[1] + whole(item.get("cells")))
        if formulas := sum(item["code"] == "formula" for item in profile.get("findings", [])):
            out["formula"] = ("low", out.get("formula", ("", 0))[1] + formulas)
    return out


@measures("0205")
def authenticity(snapshot: Snapshot) -> Measure:
    """At most 60: records that name their source, share not found in other listings, generated data said to be so.

    Traceable is not true: the rest needs contracts, collection logs or experts.
    """
    if not snapshot.tables:
        return NOT_MEASURED
    records = [block(profile, "records") for profile in snapshot.tables]
    like = sum(whole(item.get("like")) for item in records)
    parts, checks, n = {}, [], sum(profile["rows"] for profile in snapshot.tables)
    if like:
        sourced = min(like, sum(whole(item.get("sourced")) for item in records))
        parts["coverage"] = 100.0 * (1.0 - upper_bound(like - sourced, like))
        checks.append(check("0205.sourced", like - sourced, like, parts["coverage"]))
        generated = sum(whole(item.get("generated")) for item in records)
        parts["generated"] = 100.0 if not generated or snapshot.document.get("is_synthetic") else 0.0
        checks.append(check("0205.generated", generated, like, parts["generated"]))
    copies = [item for profile in snapshot.profiles for item in rows(profile, "near_copies")]
    if any(item.get("sketch") for item in contents(snapshot)):
        worst = max((whole(item.get("percent")) for item in copies), default=0)
        parts["original"] = 100.0 - min(100, worst)
        named = [{"place": text(item.get("title"))[:80], "text": f"{whole(item.get('percent'))}%"} for item in copies[:5]]
        checks.append(check("0205.original", worst, 100, parts["original"], examples=named))
    if not like:
        parts["coverage"] = 50.0 if snapshot.document.get("source_types") and snapshot.document.get("rights_basis") else 0.0
    score = AUTOMATIC / 100 * sum(parts[name] * SOURCES[name] for name in parts) / sum(SOURCES[name] for name in parts)
    return Measure("measured", round(score, 2), shown(checks), n, source="sample", rule="0205/1", evidence=evidence(snapshot, "0205"))
