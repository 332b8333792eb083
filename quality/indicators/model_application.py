"""0301 内容多样性, 0302 规模完整性, 0303 内容时效性, 0305 模型适配性 from samples; 0304 needs an audit (`labelling` has its hint).

Nothing here is guessed: without facets, a size, dates or labels an indicator stays 未测.
"""

import math
from datetime import date

from quality.indicators.checks import block, check, columns, contents, decimal, evidence, rows, shown, text, whole
from quality.indicators.documentation import as_number
from quality.indicators.labelling import declared_labels, label_shares
from quality.indicators.registry import NOT_MEASURED, Measure, Snapshot, measures

DIVERSITY = {"coverage": 0.4, "evenness": 0.3, "effective": 0.3}
REQUIRED = {"basic_cognition": 10_000_000, "scene_understanding": 100_000, "action_planning": 1_000}  # items; 002 二, table 1
REQUIRED_OTHERWISE = 10_000
FEW = 50  # items of a class
HALF_LIFE = {"finance": 3, "manufacturing": 12, "meteorology": 12, "smart-ocean": 12, "healthcare": 36}  # months
HALF_LIFE_OTHERWISE, GRACE = 24, 1
LIFT = 0.5
LEARNABLE = 60.0


@measures("0301")
def diversity(snapshot: Snapshot) -> Measure:
    """.4 observed of the expected facets, .3 evenness (or nearness to the declared distribution), .3 share that is no repetition."""
    facets = label_shares(snapshot) or [shares for column in columns(snapshot) if (shares := _shares(column))][:10]
    n = sum(profile["rows"] for profile in snapshot.tables)
    if not n or not facets:
        return NOT_MEASURED
    expected = _expected(snapshot.document)
    parts, checks = {}, []
    if expected:
        observed = {name for shares in facets for name, count in shares.items() if count}
        parts["coverage"] = 100.0 * len(observed & expected.keys()) / len(expected)
        missing = [{"place": "", "text": name[:60]} for name in sorted(expected.keys() - observed)]
        checks.append(check("0301.facets", len(expected) - len(observed & expected.keys()), len(expected), parts["coverage"], examples=missing))
    else:
        parts["coverage"] = 50.0  # nothing says what should be there
    declared = {name: share for name, share in expected.items() if share is not None}
    parts["evenness"] = max(_like_declared(shares, declared) if len(declared) >= 2 else 100.0 * evenness(shares) for shares in facets)
    checks.append(check("0301.evenness", round(100 - parts["evenness"]), 100, parts["evenness"]))
    repeated, looked = _repeated(snapshot)
    parts["effective"] = 100.0 * (1 - repeated / looked) if looked else 100.0
    checks.append(check("0301.effective", repeated, looked, parts["effective"]))
    score = sum(parts[name] * share for name, share in DIVERSITY.items())
    return Measure("measured", round(score, 2), shown(checks), n, source="sample", rule="0301/1", evidence=evidence(snapshot, "0301"))


def _shares(column: dict) -> dict[str, int]:
    pairs = column.get("shares") if column.get("labels") is True else None
    pairs = [pair for pair in pairs if isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str)] if isinstance(pairs, list) else []
    return {pair[0]: whole(pair[1]) for pair in pairs if whole(pair[1])}


def _expected(document: dict) -> dict[str, float | None]:
    """What the listing says should be there: {name: share in percent, or None}."""
    documentation = document.get("documentation") if isinstance(document.get("documentation"), dict) else {}
    entry = documentation.get("distribution_note")
    out: dict[str, float | None] = {}
    for row in rows(entry, "parts") if isinstance(entry, dict) else []:
        if text(row.get("name")).strip():
            out[text(row["name"]).strip()] = as_number(row["share"]) if row.get("share") not in (None, "") else None
    return out or dict.fromkeys(declared_labels(document))


def evenness(shares: dict[str, int]) -> float:
    """H / ln k."""
    total = sum(shares.values())
    if len(shares) < 2 or not total:
        return 0.0
    entropy = -sum(count / total * math.log(count / total) for count in shares.values() if count)
    return min(1.0, entropy / math.log(len(shares)))


def _like_declared(shares: dict[str, int], declared: dict[str, float]) -> float:
    """100 where sample and declaration agree, 0 from a total variation distance of .3 on."""
    total, said = sum(shares.values()), sum(declared.values())
    if not total or not said:
        return 0.0
    distance = sum(abs(shares.get(name, 0) / total - declared.get(name, 0.0) / said) for name in shares.keys() | declared.keys()) / 2
    return 100.0 * max(0.0, 1.0 - distance / 0.3)


def _repeated(snapshot: Snapshot) -> tuple[int, int]:
    """(repeated, looked at): exact doubles of the rows, near ones of the texts, in the same measure."""
    lines = sum(profile["rows"] for profile in snapshot.tables)
    doubles = sum(whole(profile.get("duplicate_rows")) for profile in snapshot.tables)
    near = [block(item, "near_duplicates") for item in contents(snapshot) if item.get("modality") != "log"]
    n = sum(whole(item.get("n")) for item in near)
    share = sum(whole(item.get("count")) for item in near) / n if n else 0.0
    return min(lines, round(doubles + share * (lines - min(lines, doubles)))), lines


@measures("0302")
def sufficiency(snapshot: Snapshot) -> Measure:
    """100 − 50 · log10(required / number), the number less the sample's share of repetitions; less the share of tiny classes."""
    declared = whole(snapshot.document.get("record_count"))
    lines = sum(profile["rows"] for profile in snapshot.tables)
    if not lines:
        return NOT_MEASURED
    required = REQUIRED.get(text(snapshot.document.get("cognition_layer")), REQUIRED_OTHERWISE)
    repeated, looked = _repeated(snapshot)
    number = max(declared, lines) * (1 - repeated / looked if looked else 1)
    score = max(0.0, min(100.0, 100.0 - 50.0 * math.log10(required / number))) if number >= 1 else 0.0
    checks = [check("0302.repeated", repeated, looked, score, required=required, number=int(number))]
    counts = _class_counts(snapshot.document)
    if counts:
        few = sum(count < FEW for count in counts)
        score = max(0.0, score - 20.0 * few / len(counts))
        checks.append(check("0302.classes", few, len(counts), 100.0 - 20.0 * few / len(counts)))
    return Measure("measured", round(score, 2), shown(checks), lines, source="sample", rule="0302/1", evidence=evidence(snapshot, "0302"))


def _class_counts(document: dict) -> list[float]:
    documentation = document.get("documentation") if isinstance(document.get("documentation"), dict) else {}
    entry = documentation.get("label_statistics")
    found = [as_number(row["count"]) for row in rows(entry, "labels") if row.get("count") not in (None, "")] if isinstance(entry, dict) else []
    return [count for count in found if count is not None]


@measures("0303")
def timeliness(snapshot: Snapshot) -> Measure:
    """100 · 2^(−age / half-life of the sector): the newest record's age when the sample was read, less a month of grace."""
    dates = [text(column.get("newest")) for column in columns(snapshot)]
    dates += [text(block(profile, "records").get("newest")) for profile in snapshot.tables]
    newest = max(dates, default="")
    read = min((day for profile in snapshot.tables if (day := _day(profile.get("read_on")))), default=None)
    last = _day(newest)
    if last is None or read is None:
        return NOT_MEASURED
    age = max(0.0, (read - last).days / 30.44 - GRACE)
    sectors = snapshot.document.get("sectors")
    lives = [HALF_LIFE[name] for name in sectors if isinstance(name, str) and name in HALF_LIFE] if isinstance(sectors, list) else []
    life = min(lives, default=HALF_LIFE_OTHERWISE)
    score = 100.0 * 2 ** (-age / life)
    found = check("0303.age", round(age), max(round(age), life), score, newest=newest[:10], read_on=read.isoformat(), half_life_months=life)
    n = sum(profile["rows"] for profile in snapshot.tables)
    return Measure("measured", round(score, 2), shown([found]), n, source="sample", rule="0303/1")


def _day(value) -> date | None:
    try:
        return date.fromisoformat(text(value)[:10])
    except ValueError:
        return None


@measures("0305")
def fitness(snapshot: Snapshot) -> Measure:
    """At most 60, by the trial model's lift over permuted labels: labels are learnable; that a model improves is not shown."""
    trials = [block(item, "baseline") for item in contents(snapshot)]
    trials = [item for item in trials if whole(item.get("n")) and item.get("f1") is not None]
    if not trials:
        return NOT_MEASURED
    n = sum(whole(item["n"]) for item in trials)
    gain = sum(max(0.0, min(1.0, decimal(item.get("lift")))) * whole(item["n"]) for item in trials) / n
    score = LEARNABLE * min(1.0, gain / LIFT)
    said = [
        {"place": text(item.get("kind")), "text": f"F1 {decimal(item.get('f1')):.3f} / {decimal(item.get('null_f1')):.3f}"} for item in trials[:5]
    ]
    leaks = [text(name)[:80] for item in trials if isinstance(item.get("leaks"), list) for name in item["leaks"]]
    found = check("0305.lift", round(100 * gain), 100, score, examples=said, leaks=leaks[:20])
    return Measure("measured", round(score, 2), shown([found]), n, source="sample", rule="0305/1", evidence=evidence(snapshot, "0305"))
