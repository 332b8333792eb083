"""What is written to and asked of Elasticsearch, as plain dicts. Only features that a server without modules has: no scripts.

The points of relevance are those of ranking.py, put together from stored numbers: `title_share` is 1 / length of the title,
`fresh` is 2 ^ (years since EPOCH), so that freshness as of today is `fresh` times one factor.
"""

import datetime
import math
import re
from collections.abc import Iterable, Sequence

from catalog.search import ranking
from catalog.search.columns import UPDATED
from catalog.search.document import BEFORE_LABEL, BETWEEN_DIMENSIONS, BETWEEN_VALUES, STORED, IndexDocument, title_hash
from catalog.search.expressions import All, Expression, marked
from catalog.search.planning import Plan
from catalog.search.query import MISSING, RANGES, SearchQuery
from catalog.search.text import TITLE, Piece, fold

EPOCH = datetime.date(2020, 1, 1).toordinal()
LONGEST = 300  # characters of a value that a dimension can have
VALUES = 1000  # distinct values of a facet that one answer counts
MANY = 10_000
KEYWORD, NUMBER = {"type": "keyword"}, {"type": "double", "index": False}
NOTHING = {"match_none": {}}
MAPPING = {
    "dynamic": "strict",
    "_source": {"excludes": ["tokens"]},
    "properties": {
        "pk": {"type": "long"},
        "digest": KEYWORD | {"index": False},
        "tokens": {"type": "text", "analyzer": "whitespace", "norms": False, "index_options": "docs"},
        "title": KEYWORD | {"index": False},
        "title_key": KEYWORD | {"index": False},
        "title_hash": {"type": "long"},
        "title_share": NUMBER,
        "brevity": NUMBER,
        "worth": NUMBER,
        "fresh": NUMBER,
        "listed": {"type": "long", "index": False},
        "modified": {"type": "integer"},
        "byte_size": {"type": "long"},
        "volume": {"type": "long", "index": False},
        "grade_rank": {"type": "byte", "index": False},
        "downloads": {"type": "long", "index": False},
        "names": {"properties": {"organization": KEYWORD, "keyword": KEYWORD}},
        "d": {"properties": dict.fromkeys(STORED, KEYWORD)},
    },
}
ORDER = {
    "newest": [{"listed": "desc"}],
    "updated": [{"modified": "desc"}],
    "grade": [{"grade_rank": "desc"}, {"_score": "desc"}],
    "downloads": [{"downloads": "desc"}],
    "size": [{"byte_size": "desc"}],
    "title": [{"title_key": "asc"}],
}


def source(document: IndexDocument, downloads: int) -> dict:
    title, hashed, key, length, packed, listed, modified, size, grade, static = document.row
    values = dict(zip(STORED, (part.split(BETWEEN_VALUES) for part in packed.split(BETWEEN_DIMENSIONS)), strict=True))
    providers = [value.partition(BEFORE_LABEL) for value in values["organization"]]
    day = min(modified, datetime.date.today().toordinal())
    return {
        "pk": document.pk,
        "digest": document.digest,
        "tokens": document.tokens,
        "title": title,
        "title_key": key.hex(),
        "title_hash": hashed,
        "title_share": 1 / max(len(title), 1),
        "brevity": 0.5 / (1 + math.log1p(length / 100)),
        "worth": static,
        "fresh": 2.0 ** ((day - EPOCH) / 365) if modified > 0 else 0.0,
        "listed": listed,
        "modified": modified,
        "byte_size": size,
        "volume": max(size, 0),
        "grade_rank": grade,
        "downloads": downloads,
        "names": {
            "organization": [_named(label) for _value, _mark, label in providers if label],
            "keyword": [_named(value) for value in values["keyword"] if value != MISSING],
        },
        "d": values | {"organization": [value for value, _mark, _label in providers]},
    }


def _named(name: str) -> str:
    return fold(name) + BEFORE_LABEL + name


# --- conditions


def having(expression: Expression | None) -> dict:
    """Rows whose tokens hold it; every row for None."""
    if expression is None:
        return {"match_all": {}}
    if isinstance(expression, Piece):
        return {"prefix" if expression.is_prefix else "term": {"tokens": expression.token}}
    parts = [having(part) for part in expression.parts]
    return {"bool": {"filter": parts}} if isinstance(expression, All) else {"bool": {"should": parts, "minimum_should_match": 1}}


def each(expressions: Sequence[Expression]) -> dict:
    """Aggregation that counts the rows of each."""
    return {"filters": {"filters": {str(at): having(expression) for at, expression in enumerate(expressions)}}}


def chosen(name: str, values: Iterable[str]) -> dict:
    """Rows that have one of the values of a dimension."""
    if name == "updated":
        parts = [part for value, part in ranges().items() if value in values]
        return {"bool": {"should": parts, "minimum_should_match": 1}} if parts else NOTHING
    known = [value.encode("utf-8", "replace").decode() for value in values if len(value) <= LONGEST]
    return {"terms": {f"d.{name}": known}} if known else NOTHING


def ranges() -> dict[str, dict]:
    """Of the dimension that ends today (columns.Updated)."""
    today = datetime.date.today().toordinal()
    found = {name: {"range": {"modified": {"gt": today - days}}} for name, days in UPDATED}
    found["older"] = {"range": {"modified": {"gt": 0, "lte": today - UPDATED[-1][1]}}}
    return found | {MISSING: {"term": {"modified": 0}}}


def filters(query: SearchQuery, besides: str = "") -> dict:
    kept = [chosen(name, values) for name, values in query.filters.items() if name != besides]
    return {"bool": {"filter": kept + [within(name, *bounds) for name, bounds in query.ranges.items()]}}


def within(name: str, low: int | None, high: int | None) -> dict:
    """Rows in a free range; a number that is not known (0, -1) is in none."""
    return {"range": {RANGES[name]: {"gte": max(low or 1, 1)} | ({} if high is None else {"lte": high})}}


# --- order


def scored(plan: Plan, match: Expression | None) -> dict:
    """The rows of `match` with their points; without words, the worth of each listing."""
    today = datetime.date.today().toordinal()
    parts = [_field("worth"), _field("fresh", 0.25 * 2.0 ** ((EPOCH - today) / 365))]
    should = []
    if match is not None:
        parts.append(_field("brevity"))
        should = [
            {"constant_score": {"filter": {"term": {"title_hash": title_hash(plan.folded)}}, "boost": ranking.EXACT}},
            {"constant_score": {"filter": having(marked(plan.strict, TITLE)), "boost": ranking.WHOLE}},
            *({"dis_max": {"queries": [_said(*part) for part in ranking.said(concept)]}} for concept in plan.concepts),
        ]
        if plan.is_relaxed:
            should.append({"constant_score": {"filter": having(plan.precise), "boost": ranking.PRECISE}})
    worth = {"query": {"match_all": {}}, "functions": parts, "score_mode": "sum", "boost_mode": "replace"}
    return {"bool": {"filter": [having(match)], "must": [{"function_score": worth}], "should": should}}


def _said(expression: Expression, points: float, letters: float) -> dict:
    held = {"constant_score": {"filter": having(expression), "boost": points}}
    if not letters:
        return held
    share = {"query": having(expression), "functions": [_field("title_share", ranking.SHARE * letters)], "max_boost": ranking.SHARE}
    return {"bool": {"must": [held, {"function_score": share | {"boost_mode": "replace"}}]}}


def _field(name: str, factor: float = 1.0) -> dict:
    return {"field_value_factor": {"field": name, "factor": factor, "missing": 0}}


def order(query: SearchQuery, has_text: bool) -> list[dict]:
    """Equal rows by descending key, so that pages neither repeat nor miss one."""
    relevance = [{"_score": "desc"}] if has_text else [{"_score": "desc"}, {"listed": "desc"}]
    return [*ORDER.get(query.sort, relevance), {"pk": "desc"}]


def refined(hits: list[tuple[int, float, str]], plan: Plan) -> list[int]:
    """Keys of (key, score, folded title) in rank order, told apart as ranking.py does."""
    return [pk for pk, _score, _title in sorted(hits, key=lambda hit: -(hit[1] + ranking.gain(hit[2], plan)))]


# --- counts


def totals_of(name: str, size: int, inner: dict | None = None) -> dict:
    """Aggregation over the values of a dimension."""
    counted = {"filters": {"filters": ranges()}} if name == "updated" else {"terms": {"field": f"d.{name}", "size": size}}
    return counted | ({"aggs": inner} if inner else {})


def facets(query: SearchQuery) -> dict:
    """Per facet {"values", "selected"} under the choices of all other facets."""
    found = {}
    for name in query.facets:
        inner = {"values": totals_of(name, VALUES)}
        if name != "updated" and query.filters.get(name):
            inner["selected"] = {"filters": {"filters": {str(at): chosen(name, [value]) for at, value in enumerate(query.filters[name])}}}
        found[name] = {"filter": filters(query, besides=name), "aggs": inner}
    return found


def facet_totals(answer: dict, selected: tuple[str, ...]) -> dict[str, int]:
    totals = bucket_totals(answer["values"])
    for at, bucket in answer.get("selected", {}).get("buckets", {}).items():
        if bucket["doc_count"]:
            totals[selected[int(at)]] = bucket["doc_count"]
    return totals


def buckets(answer: dict) -> list[tuple[str, dict]]:
    found = answer["buckets"]
    return list(found.items()) if isinstance(found, dict) else [(bucket["key"], bucket) for bucket in found]


def bucket_totals(answer: dict) -> dict[str, int]:
    return {key: bucket["doc_count"] for key, bucket in buckets(answer) if bucket["doc_count"]}


def names_with(folded: str, limit: int) -> dict:
    """Names that begin with the text, and that have it anywhere, most used first."""
    literal = re.sub(r"([^\w\s])", r"\\\1", folded)
    found = {}
    for name in ("organization", "keyword"):
        for kind, before in (("begins", ""), ("has", f"[^{BEFORE_LABEL}]*")):
            terms = {"field": f"names.{name}", "size": limit, "include": f"{before}{literal}[^{BEFORE_LABEL}]*{BEFORE_LABEL}.*"}
            found[f"{name}.{kind}"] = {"terms": terms}
    return found


def values_with(folded: str) -> dict:
    """Keywords that have the text in their folded name."""
    literal = re.sub(r"([^\w\s])", r"\\\1", folded)
    anything = f"[^{BEFORE_LABEL}]*"
    return {"terms": {"field": "names.keyword", "size": VALUES, "include": f"{anything}{literal}{anything}{BEFORE_LABEL}.*"}}


def named(answers: dict, name: str, limit: int) -> list[dict]:
    keys = dict.fromkeys(key for kind in ("begins", "has") for key, _bucket in buckets(answers[f"{name}.{kind}"]))
    return [{"text": key.partition(BEFORE_LABEL)[2], "kind": name} for key in list(keys)[:limit]]


def rarity(parts: list[dict], counts: list[int], total: int) -> list[dict]:
    """The parts that some row has, the rarer the more points."""
    weighed = zip(parts, counts, strict=True)
    return [{"constant_score": {"filter": part, "boost": round(math.log(1 + total / count), 6)}} for part, count in weighed if count]
