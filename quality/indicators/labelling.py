"""0203 标注规范性, 0206 内容一致性, 0207 类型一致性 and the hint of 0304 from the closer looks at a sample."""

from quality.indicators.checks import block, bounded, check, columns, contents, evidence, rows, shown, text, weighted, whole
from quality.indicators.registry import NOT_MEASURED, Measure, Snapshot, measures

LABELLING = {"membership": "0.4", "geometry": "0.3", "process": "0.3"}
BAD = 0.05
TYPE_LIMIT = 40.0  # of 0207: a count of words is no proof


def declared_labels(document: dict) -> set[str]:
    """Names in documentation.label_statistics.labels."""
    documentation = document.get("documentation")
    entry = documentation.get("label_statistics") if isinstance(documentation, dict) else None
    return {text(row.get("name")).strip() for row in rows(entry, "labels")} - {""} if isinstance(entry, dict) else set()


def label_shares(snapshot: Snapshot) -> list[dict[str, int]]:
    """{label: rows} of each label column whose shares are known."""
    out = []
    for profile in snapshot.tables:
        seen = [block(profile, "content"), *(block(part, "content") for part in rows(profile, "parts"))]
        names = {text(item.get("label_column")) for item in seen}
        for column in profile["columns"]:
            if column.get("name") in names - {""} and isinstance(column.get("shares"), list):
                pairs = [pair for pair in column["shares"] if isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str)]
                out.append({pair[0]: whole(pair[1]) for pair in pairs})
    return [shares for shares in out if sum(shares.values())]


@measures("0203")
def labelling(snapshot: Snapshot) -> Measure:
    """Labels filled and within the declared set; boxes, spans and tags legal; the process told. Nothing for data without labels."""
    seen = contents(snapshot)
    nulls = [block(item, "null_labels") for item in seen]
    n = sum(whole(item.get("n")) for item in nulls)
    geometry = [block(item, "geometry", kind) for item in seen for kind in ("boxes", "spans", "tags")]
    shapes = sum(whole(item.get("n")) for item in geometry)
    if not n and not shapes:
        return NOT_MEASURED
    parts, checks = {}, []
    if n:
        declared, shares = declared_labels(snapshot.document), label_shares(snapshot)
        total = sum(sum(item.values()) for item in shares)
        outside = sum(count for item in shares for name, count in item.items() if name not in declared) if declared else 0
        strange = [name for item in shares for name in item if name not in declared][:20] if declared else []
        wrong = (
            sum(whole(item.get("count")) for item in nulls) + round(outside * n / total) if total else sum(whole(item.get("count")) for item in nulls)
        )
        parts["membership"], found = bounded("0203.membership", wrong, n, 0.0, BAD, examples=[{"place": "", "text": name[:60]} for name in strange])
        checks.append(found)
    if shapes:
        parts["geometry"], found = bounded("0203.geometry", sum(whole(item.get("count")) for item in geometry), shapes, 0.0, BAD)
        checks.append(found)
    document = snapshot.document
    documentation = document.get("documentation") if isinstance(document.get("documentation"), dict) else {}
    told = [document.get("annotation_method"), document.get("annotator_type"), documentation.get("annotation_rules")]
    parts["process"] = 100.0 * sum(bool(item) for item in told) / len(told)
    checks.append(check("0203.process", sum(not item for item in told), len(told), parts["process"]))
    score = weighted(parts, LABELLING)
    return Measure("measured", round(score, 2), shown(checks), n or shapes, source="sample", rule="0203/1", evidence=evidence(snapshot, "0203"))


@measures("0206")
def consistency(snapshot: Snapshot) -> Measure:
    """The mean over what could be looked at: labels of equal content, ids between files, dates, units, spellings, sampling rates."""
    looked = (_conflicts(snapshot), _joins(snapshot), _mixed(snapshot, "date_shapes"), _mixed(snapshot, "units"), _variants(snapshot))
    found = [item for item in looked if item]
    if not found:
        return NOT_MEASURED
    scored = [bounded(f"0206.{name}", count, n, 0.0, BAD) for name, count, n in found]
    score = sum(points for points, _check in scored) / len(scored)
    n = max(n for _name, _count, n in found)
    value = shown([item for _points, item in scored])
    return Measure("measured", round(score, 2), value, n, source="sample", rule="0206/1", evidence=evidence(snapshot, "0206"))


def _conflicts(snapshot: Snapshot):
    items = [block(item, "conflicts") for item in contents(snapshot)]
    n = sum(whole(item.get("n")) for item in items)
    return ("conflicts", sum(whole(item.get("count")) for item in items), n) if n else None


def _joins(snapshot: Snapshot):
    items = [item for profile in snapshot.tables for item in rows(profile, "joins")]
    n = sum(whole(item.get("n")) for item in items)
    return ("joins", sum(whole(item.get("count")) for item in items), n) if n else None


def _mixed(snapshot: Snapshot, name: str):
    """Cells not written as most of their column are."""
    n = count = 0
    for column in columns(snapshot):
        shapes = [whole(number) for number in block(column, name).values()]
        if sum(shapes):
            n, count = n + sum(shapes), count + sum(shapes) - max(shapes)
        elif name == "date_shapes" and column.get("type") == "date":
            n += column["filled"]
    return (name, count, n) if n else None


def _variants(snapshot: Snapshot):
    items = [item for content in contents(snapshot) for item in rows(content, "variants")]
    n = sum(column["filled"] for column in columns(snapshot) if column.get("labels") is True)
    count = sum(whole(item.get("count")) for item in items)
    return ("variants", min(count, n), n) if n else None


@measures("0207")
def type_conformity(snapshot: Snapshot) -> Measure:
    """At most 40: words of the claimed sectors in the texts. Weak on purpose; whether the claimed tier fits, experts say."""
    sectors = snapshot.document.get("sectors")
    sectors = [name for name in sectors if isinstance(name, str)] if isinstance(sectors, list) else []
    found = [block(item, "sector_words") for item in contents(snapshot) if item.get("sector_words")]
    n = sum(whole(item.get("n")) for item in found)
    if not sectors or not n:
        return NOT_MEASURED
    counts: dict[str, int] = {}
    for item in found:
        for name, count in block(item, "sectors").items():
            counts[name] = counts.get(name, 0) + whole(count)
    own = max((counts.get(name, 0) for name in sectors), default=0)
    best = max(counts.values(), default=0)
    if not any(name in counts for name in sectors):
        return NOT_MEASURED  # no words are known of that sector
    score = TYPE_LIMIT * (own / best if best else 0.0) * min(1.0, own / (0.02 * n))
    checks = [check("0207.words", own, n, score)]
    return Measure("measured", round(score, 2), shown(checks), n, source="sample", rule="0207/1")


@measures("0304")
def label_accuracy_hint(snapshot: Snapshot) -> Measure:
    """Not measured without an audit; the trial model's hint is shown beside it and is no error rate: it flags clean labels too."""
    hints = [block(item, "label_hint") for item in contents(snapshot) if item.get("label_hint")]
    n = sum(whole(item.get("n")) for item in hints)
    if not n:
        return NOT_MEASURED
    flagged, null = (sum(whole(item.get(name)) for item in hints) for name in ("flagged", "null"))
    excess = max(0, flagged - null)
    clashing = sum(whole(block(item, "conflicts").get("count")) for item in contents(snapshot))
    hint = {"flagged": flagged, "null": null, "excess": excess, "n": n, "conflicts": clashing}
    return Measure("not_measured", value={"hint": hint}, rule="0304/hint-1")
