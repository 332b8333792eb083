"""Order of the results. Two steps: numpy sorts everything by what the columns know, then the first rows are read and judged.

The points are published in docs/search.md. The Elasticsearch engine puts the same ones together (backends/elastic_body.py).
"""

import re
from collections.abc import Callable
from functools import partial

import numpy as np
from django.db import connection

from catalog.models import SearchRow
from catalog.search.columns import Snapshot
from catalog.search.document import title_hash
from catalog.search.expressions import Expression, marked
from catalog.search.first import first
from catalog.search.planning import Concept, Plan
from catalog.search.query import MISSING, SearchQuery
from catalog.search.text import TITLE

REFINED = 200
EXACT, WHOLE, PRECISE = 100.0, 10.0, 20.0  # the title equals the query; has all of it as typed; no word was let go
IN_TITLE, IN_TEXT, SHARE = 10.0, 4.0, 2.0  # for the words, each by its weight: in the title, elsewhere; for the share of the title they make
BREVITY = 0.5
SUBJECT, NEGATED, IN_BRACKETS = 5.0, 8.0, 2.0  # of the first REFINED: share of what a title is about; words it excludes; words in brackets
LEAD = re.compile(
    r"(?:\d{2,4}年度?)?(?:[\u4e00-\u9fff]{2,3}(?:省|市|县|自治区)(?!场))?(?:政府)?"
    r"(?:[\u4e00-\u9fff]{1,6}(?:局|处|署|部|委员会|厅|公司)(?=[-_ —:]|[\u4e00-\u9fff]{4}))?[-_ —:]*(?:\d{2,4}年度?)?"
)
EXCLUDED = re.compile(r"(?:不含|不包含|不包括|未含|排除|扣除|除)$")


def said(concept: Concept) -> list[tuple[Expression, float, float]]:
    """(what to find, points, length in the title or 0) of a word, best first; a row gets the points of the best it has."""
    parts = []
    for factor, expression in concept.by_factor():
        parts.append((marked(expression, TITLE), IN_TITLE * concept.weight * factor, len(concept.typed) * factor))
        parts.append((expression, IN_TEXT * concept.weight * factor, 0.0))
    return sorted(parts, key=lambda part: -part[1])


def order(snapshot: Snapshot, rows: np.ndarray, query: SearchQuery, scores: np.ndarray | None, most: int) -> np.ndarray:
    """Which of `rows` are the first `most`, in rank order; equal ones by descending id, so that pages neither repeat nor miss a row.
    `scores`: points of each of `rows`."""
    numbers = snapshot.numbers
    if query.sort == "relevance" and scores is not None:
        keys = [lambda at: -scores[at]]
    elif query.sort == "relevance":
        keys = [lambda at: -np.round(snapshot.worth[rows[at]], 4), lambda at: -numbers["listed"][rows[at]]]
    elif query.sort == "newest":
        keys = [lambda at: -numbers["listed"][rows[at]]]
    elif query.sort == "updated":
        keys = [lambda at: -numbers["modified"][rows[at]]]
    elif query.sort == "grade":
        keys = [lambda at: -numbers["grade"][rows[at]].astype(np.int64), lambda at: -np.round(snapshot.worth[rows[at]], 4)]
    elif query.sort == "downloads":
        counted = _downloads(snapshot)
        keys = [lambda at: -counted[rows[at]]]
    elif query.sort == "size":
        keys = [lambda at: -numbers["byte_size"][rows[at]]]
    else:
        keys = [partial(_title_part, numbers["title_key"], rows, part) for part in range(4)]
    return first(len(rows), [*keys, lambda at: -numbers["dataset_id"][rows[at]]], most)


def _title_part(titles: np.ndarray, rows: np.ndarray, part: int, at: np.ndarray) -> np.ndarray:
    """Eight of the 32 bytes of each title's key, as numbers in the order of the bytes."""
    return titles[rows[at]].view(">u8").reshape(-1, 4)[:, part].astype(np.uint64)


def scores(snapshot: Snapshot, rows: np.ndarray, plan: Plan, mask_of: Callable[[Expression], np.ndarray]) -> np.ndarray:
    """Points of each of `rows`; mask_of tells which rows of the snapshot hold an expression."""
    numbers = snapshot.numbers
    length = np.maximum(numbers["title_length"][rows], 1)
    total = snapshot.worth[rows] + BREVITY * snapshot.brevity[rows]
    for concept in plan.concepts:
        points = np.zeros(len(rows))
        for expression, worth, letters in reversed(said(concept)):
            points = np.where(mask_of(expression)[rows], worth + SHARE * letters / np.maximum(length, letters), points)
        total += points
    total += WHOLE * mask_of(marked(plan.strict, TITLE))[rows]
    if plan.is_relaxed:
        total += PRECISE * mask_of(plan.precise)[rows]
    return np.round(total + EXACT * (numbers["title_hash"][rows] == title_hash(plan.folded)), 5)


def _downloads(snapshot: Snapshot) -> np.ndarray:
    """The counters as they stand now: they change without an index write."""
    from catalog.models import Dataset

    counted = np.array(list(Dataset.objects.filter(download_count__gt=0).values_list("pk", "download_count")), dtype=np.int64).reshape(-1, 2)
    counts = np.zeros(len(snapshot), np.int64)
    counted = counted[np.isin(counted[:, 0], snapshot.numbers["dataset_id"])]
    counts[snapshot.positions(counted[:, 0])] = counted[:, 1]
    return counts


def refined(snapshot: Snapshot, ordered: np.ndarray, points: np.ndarray, plan: Plan) -> np.ndarray:
    """The first REFINED rows of `ordered`, whose points these are, told apart by how their titles say it; the rest as it was."""
    head = ordered[:REFINED]
    if len(head) < 2:
        return ordered
    pks = [int(pk) for pk in snapshot.numbers["dataset_id"][head]]
    titles = _titles(pks)
    gains = np.array([gain(titles.get(pk, ""), plan) for pk in pks])
    return np.concatenate([head[np.argsort(-(gains + points[:REFINED]), kind="stable")], ordered[REFINED:]])


def _titles(pks: list[int]) -> dict[int, str]:
    """By plain SQL: the ORM spends longer on 200 parameters than the database on 200 rows."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT dataset_id, title FROM {SearchRow._meta.db_table} WHERE dataset_id IN ({', '.join(map(str, pks))})")  # noqa: S608
        return dict(cursor.fetchall())


def gain(title: str, plan: Plan) -> float:
    """Points of a folded title for how it says the query: as typed, how much of the title that makes, and whether it is excluded."""
    return _as_typed(title, plan.folded) + _subject(title, plan)


def _as_typed(title: str, folded: str) -> float:
    at = title.find(folded)
    if at < 0:
        return 0.0
    whole = re.search(rf"(?<![a-z0-9]){re.escape(folded)}(?![a-z0-9])", title)
    return 6.0 + (1.0 if at == 0 else 0.0) + (2.0 if whole else 0.0)


def _subject(title: str, plan: Plan) -> float:
    """The place, office and year that a title begins with say whose data they are, not what they are about."""
    length = max(len(title) - LEAD.match(title).end(), 4)
    letters = taken = 0.0
    for concept in plan.concepts:
        places = [(option.factor * len(option.text), title.find(option.text)) for option in concept.options if option.text in title]
        if not places:
            continue
        size, at = max(places)
        letters += size
        if EXCLUDED.search(title[:at]):
            taken += NEGATED * concept.weight
        elif title.rfind("(", 0, at) > title.rfind(")", 0, at):
            taken += IN_BRACKETS * concept.weight
    return SUBJECT * min(letters / length, 1.0) - taken


def named(snapshot: Snapshot, dimension: str, folded: str, limit: int) -> list[dict]:
    """Suggestions out of the names that published rows carry, those that begin so first, then the most used."""
    known, totals = snapshot.stored[dimension].combinations, snapshot.everywhere(dimension)
    names = zip(known.values, known.folded(), strict=False)
    found = [(value, totals[value], at) for value, name in names if (at := name.find(folded)) >= 0 and value in totals and value != MISSING]
    found.sort(key=lambda item: (item[2] > 0, -item[1], item[0]))
    return [{"text": known.labels.get(value, value), "kind": dimension} for value, _count, _at in found[:limit]]
