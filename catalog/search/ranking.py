"""Order of the results. Two steps: numpy sorts everything by what the columns know, then the first rows are read and judged.

Relevance of a match, published in docs/search.md: exact title 100; all pieces in the title 10, and up to 5 for the share of
the title that the query makes; worth of the listing (grade, freshness, use, documentation) up to 1; brevity of the whole text up to 0.5.
The first REFINED rows are then told apart by whether the title has the query as typed (6), at its start (1), as whole words (2).
"""

import re

import numpy as np
from django.db import connection

from catalog.models import SearchRow
from catalog.search.columns import Snapshot
from catalog.search.document import title_hash
from catalog.search.query import MISSING, SearchQuery

REFINED = 200


def order(snapshot: Snapshot, rows: np.ndarray, query: SearchQuery, folded: str, in_title: np.ndarray | None) -> np.ndarray:
    """Positions in rank order; equal ones by descending id, so that pages neither repeat nor miss a row."""
    numbers = snapshot.numbers
    newest = -numbers["dataset_id"][rows]
    if query.sort == "relevance" and in_title is not None:
        keys = (-_relevance(snapshot, rows, folded, in_title),)
    elif query.sort == "relevance":
        keys = (-numbers["listed"][rows], -np.round(snapshot.worth[rows], 4))
    elif query.sort == "newest":
        keys = (-numbers["listed"][rows],)
    elif query.sort == "updated":
        keys = (-numbers["modified"][rows],)
    elif query.sort == "grade":
        keys = (-np.round(snapshot.worth[rows], 4), -numbers["grade"][rows].astype(np.int64))
    elif query.sort == "downloads":
        keys = (-_downloads(snapshot)[rows],)
    elif query.sort == "size":
        keys = (-numbers["byte_size"][rows],)
    else:
        keys = (snapshot.title_rank[rows],)
    return rows[np.lexsort((newest, *keys))]


def _relevance(snapshot: Snapshot, rows: np.ndarray, folded: str, in_title: np.ndarray) -> np.ndarray:
    numbers = snapshot.numbers
    share = np.minimum(len(folded) / np.maximum(numbers["title_length"][rows], 1), 1)
    brevity = 1 / (1 + np.log1p(numbers["text_length"][rows] / 100))
    score = in_title[rows] * (10 + 5 * share) + snapshot.worth[rows] + 0.5 * brevity
    return np.round(score + 100 * (numbers["title_hash"][rows] == title_hash(folded)), 5)


def _downloads(snapshot: Snapshot) -> np.ndarray:
    """The counters as they stand now: they change without an index write."""
    from catalog.models import Dataset

    counted = np.array(list(Dataset.objects.filter(download_count__gt=0).values_list("pk", "download_count")), dtype=np.int64).reshape(-1, 2)
    counts = np.zeros(len(snapshot), np.int64)
    counted = counted[np.isin(counted[:, 0], snapshot.numbers["dataset_id"])]
    counts[snapshot.positions(counted[:, 0])] = counted[:, 1]
    return counts


def page(snapshot: Snapshot, ordered: np.ndarray, query: SearchQuery, folded: str, in_title: np.ndarray | None) -> list[int]:
    """Dataset ids of the asked page."""
    pks = snapshot.numbers["dataset_id"]
    if query.sort == "relevance" and in_title is not None and query.offset < REFINED:
        head = _refined(snapshot, ordered[:REFINED], folded, in_title)
        ordered = np.concatenate([head, ordered[REFINED:]])
    return [int(pk) for pk in pks[ordered[query.offset : query.offset + query.limit]]]


def _refined(snapshot: Snapshot, head: np.ndarray, folded: str, in_title: np.ndarray) -> np.ndarray:
    """Only rows with all pieces in the title can gain: the others keep their place behind them."""
    judged = head[in_title[head]]
    if len(judged) < 2:
        return head
    pks = [int(pk) for pk in snapshot.numbers["dataset_id"][judged]]
    titles = _titles(pks)
    gains = np.array([gain(titles.get(pk, ""), folded) for pk in pks])
    better = judged[np.argsort(-(gains + _relevance(snapshot, judged, folded, in_title)), kind="stable")]
    return np.concatenate([better, head[~in_title[head]]])


def _titles(pks: list[int]) -> dict[int, str]:
    """By plain SQL: the ORM spends longer on 200 parameters than the database on 200 rows."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT dataset_id, title FROM {SearchRow._meta.db_table} WHERE dataset_id IN ({', '.join(map(str, pks))})")  # noqa: S608
        return dict(cursor.fetchall())


def gain(title: str, folded: str) -> float:
    """Points of a folded title for having the query as it was typed."""
    at = title.find(folded)
    if at < 0:
        return 0.0
    whole = re.search(rf"(?<![a-z0-9]){re.escape(folded)}(?![a-z0-9])", title)
    return 6.0 + (1.0 if at == 0 else 0.0) + (2.0 if whole else 0.0)


def best_titles(snapshot: Snapshot, rows: np.ndarray, folded: str, limit: int) -> list[int]:
    if not len(rows):
        return []
    in_title = np.ones(len(snapshot), dtype=bool)
    query = SearchQuery(text=folded, limit=limit)
    return page(snapshot, order(snapshot, rows, query, folded, in_title), query, folded, in_title)


def named(snapshot: Snapshot, dimension: str, folded: str, limit: int) -> list[dict]:
    """Suggestions out of the names that published rows carry, those that begin so first, then the most used."""
    known, totals = snapshot.stored[dimension].combinations, snapshot.everywhere(dimension)
    names = zip(known.values, known.folded(), strict=False)
    found = [(value, totals[value], at) for value, name in names if (at := name.find(folded)) >= 0 and value in totals and value != MISSING]
    found.sort(key=lambda item: (item[2] > 0, -item[1], item[0]))
    return [{"text": known.labels.get(value, value), "kind": dimension} for value, _count, _at in found[:limit]]
