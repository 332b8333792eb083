"""What the two database engines share: index rows written in the record's transaction, answers from a snapshot in memory.

Every query first reads the version of the index (one row) and takes over what changed since, so that all processes
answer from the last committed state.
"""

import threading
import uuid
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from django.db import connection, transaction

from catalog.models import Dataset, SearchRow, SearchState
from catalog.search import labels, planning, ranking
from catalog.search.backends.base import SearchBackend
from catalog.search.backends.look import Look
from catalog.search.backends.matches import Matches
from catalog.search.columns import DELTAS, SELECTED, Snapshot
from catalog.search.document import IndexDocument, documents
from catalog.search.expressions import Expression, marked
from catalog.search.hierarchy import is_top, top_level
from catalog.search.planning import Plan
from catalog.search.query import FacetValue, SearchQuery, SearchResult
from catalog.search.text import FORMAT, TITLE, fold, pieces

ROW, STATE = SearchRow._meta.db_table, SearchState._meta.db_table
BATCH = 500
MAX_ID = 2**62
READ_AT_ONCE = 20_000
FACET_VALUES = 100  # shown per facet; the selected ones are always among them
COLUMNS = (
    "dataset_id version is_gone digest text_digest tokens title title_hash title_key text_length dimensions listed modified byte_size grade "
    "static_score"
).split()
UPSERT = (
    f"INSERT INTO {ROW} ({', '.join(COLUMNS)}) VALUES ({', '.join(['%s'] * len(COLUMNS))}) "  # noqa: S608 names of our own
    f"ON CONFLICT (dataset_id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in COLUMNS[1:])}"
)
NEXT_VERSION = (
    f"INSERT INTO {STATE} (id, version, stamp, format) VALUES (1, 1, %s, %s) "  # noqa: S608
    f"ON CONFLICT (id) DO UPDATE SET version = {STATE}.version + 1, stamp = excluded.stamp RETURNING version"
)
EMPTY_ROW = (True, "", "", b"", "", 0, b"", 0, "", 0, 0, -1, 0, 0.0)


class DatabaseBackend(SearchBackend):
    keeps_tokens = False  # whether deleting from the token index needs the old tokens

    def __init__(self):
        self._committed = Snapshot()
        self._tentative = Snapshot()
        self._lock = threading.Lock()
        self.matches = Matches()

    # --- writing

    def index(self, datasets: Sequence[Dataset]) -> None:
        """Never fails for what a listing says; at most one write of the version row per batch, and none when nothing changed."""
        for start in range(0, len(datasets), BATCH):
            self._index(datasets[start : start + BATCH])

    def _index(self, datasets: Sequence[Dataset], *, force: bool = False) -> int:
        fresh = {document.pk: document for document in documents(datasets)}
        with transaction.atomic():
            present = self._present([dataset.pk for dataset in datasets])
            gone = [pk for pk in present if pk not in fresh]
            changed = [document for pk, document in fresh.items() if force or pk not in present or present[pk][0] != document.digest]
            if gone or changed:
                self._write(changed, gone, present, force=force)
        return len(changed)

    def remove(self, pks: Iterable[int]) -> None:
        pks = list(pks)
        for start in range(0, len(pks), BATCH):
            with transaction.atomic():
                present = self._present(pks[start : start + BATCH])
                if present:
                    self._write([], list(present), present)

    def _present(self, pks: list[int]) -> dict[int, tuple[str, str]]:
        rows = SearchRow.objects.filter(dataset_id__in=pks, is_gone=False)
        return {pk: (digest, text_digest) for pk, digest, text_digest in rows.values_list("dataset_id", "digest", "text_digest")}

    def _write(self, changed: list[IndexDocument], gone: list[int], present: dict, *, force: bool = False) -> None:
        version = self._next_version()
        retold = [document for document in changed if force or document.text_digest != present.get(document.pk, ("", ""))[1]]
        stale = gone + [document.pk for document in retold if document.pk in present]
        if stale:
            self._delete_tokens(stale)
        self._insert_tokens([(document.pk, document.tokens) for document in retold])
        rows = [self._row(document, version) for document in changed] + [(pk, version, *EMPTY_ROW) for pk in gone]
        self._upsert(rows)
        self.after_write()

    def after_write(self) -> None:
        """Called in the transaction that wrote index rows. An engine that is fed from these rows takes note here."""

    def _row(self, document: IndexDocument, version: int) -> tuple:
        kept = zlib.compress(document.tokens.encode(), 1) if self.keeps_tokens else b""
        return (document.pk, version, False, document.digest, document.text_digest, kept, *document.row)

    def _next_version(self) -> int:
        """Serialises index writers until their transactions end: versions become visible in their order."""
        with connection.cursor() as cursor:
            cursor.execute(NEXT_VERSION, [uuid.uuid4().hex, FORMAT])
            version = cursor.fetchone()[0]
        if version == 1:
            self._clear_tokens()
        return version

    # --- reading

    def snapshot(self) -> Snapshot:
        """The index as this connection sees it. What a transaction has not committed stays in a snapshot of its own."""
        state = SearchState.objects.filter(id=1).values_list("version", "stamp").first() or (0, "")
        if connection.in_atomic_block:
            held = next((one for one in (self._committed, self._tentative) if (one.version, one.stamp) == state), None)
            if held is None:
                held = self._tentative = self._read(self._committed, state, in_place=False)
            return held
        held = self._committed
        if (held.version, held.stamp) != state:
            with self._lock:
                held = self._committed
                if held.version < state[0] or (held.version, held.stamp) == state:
                    known = held
                else:  # a history that went back, as after a restored backup
                    known = Snapshot()
                if (known.version, known.stamp) != state:
                    held = self._committed = self._read(known, state, in_place=True)
        return held

    def _read(self, known: Snapshot, state: tuple[int, str], *, in_place: bool) -> Snapshot:
        """`known` brought to this state. Read in parts, so that a large index does not stand in memory twice."""
        version, stamp = state
        if known.version >= version:
            known = Snapshot()
        gone = []
        if known.version:
            gone = list(SearchRow.objects.filter(version__gt=known.version, is_gone=True).values_list("dataset_id", flat=True))
        found, written, moved = known, [], bool(gone) or not known.version
        for rows in self._newer_rows(known.version) if version else ():
            found = found.with_rows(rows, gone, version=known.version, stamp="", in_place=in_place or found is not known)
            gone = []
            if not moved:
                written += [row[0] for row in rows]
        found = found.with_rows([], gone, version=version, stamp=stamp, in_place=in_place or found is not known)
        delta = (version, stamp, None if moved else np.array(written, dtype=np.int64))
        return replace(found, deltas=(*known.deltas, delta)[-DELTAS:])

    def _newer_rows(self, version: int) -> Iterator[list[tuple]]:
        """Rows of FIELDS above a version. Of a whole index by key, so that the database sorts nothing."""
        chosen = f"SELECT {SELECTED} FROM {ROW} WHERE NOT is_gone AND"  # noqa: S608
        with connection.cursor() as cursor:
            if version:
                cursor.execute(f"{chosen} version > %s", [version])
                while rows := cursor.fetchmany(READ_AT_ONCE):
                    yield rows
                return
            last = 0
            while True:
                cursor.execute(f"{chosen} dataset_id > %s ORDER BY dataset_id LIMIT %s", [last, READ_AT_ONCE])
                rows = cursor.fetchall()
                if not rows:
                    return
                yield rows
                last = rows[-1][0]

    def search(self, query: SearchQuery) -> SearchResult:
        look = Look(self, self.snapshot())
        snapshot, plan = look.snapshot, planning.plan_of(query, look)
        matched = look.matched(plan)
        masks = _masks(snapshot, query)
        mask = _all(snapshot, matched, masks.values())
        rows = np.flatnonzero(mask)
        others = np.flatnonzero(~mask) if len(snapshot) / 2 < len(rows) < len(snapshot) else None
        ordered = self._ordered(look, rows, query, plan)
        page = [int(pk) for pk in snapshot.numbers["dataset_id"][ordered[query.offset : query.offset + query.limit]]]
        facets = {name: self._facet(snapshot, query, name, rows, others, matched, masks) for name in query.facets}
        explain = look.explained(plan, page) if query.explain and plan.match is not None else {}
        return SearchResult(total=len(rows), ids=page, facets=facets, engine=self.name, explain=explain, **planning.told(plan))

    def _ordered(self, look: Look, rows: np.ndarray, query: SearchQuery, plan: Plan) -> np.ndarray:
        """As many of the rows as the page needs, in rank order."""
        most = query.offset + query.limit
        if plan.match is None or query.sort != "relevance":
            return rows[ranking.order(look.snapshot, rows, query, None, most)]
        look.fetch([expression for concept in plan.concepts for expression, _points, _letters in ranking.said(concept)])
        points = ranking.scores(look.snapshot, rows, plan, look.mask)
        at = ranking.order(look.snapshot, rows, query, points, max(most, ranking.REFINED))
        if query.offset >= ranking.REFINED:
            return rows[at]
        return ranking.refined(look.snapshot, rows[at], points[at], plan)

    def _facet(self, snapshot, query, name, rows, others, matched, masks) -> list[FacetValue]:
        if name in masks:
            others, rows = None, np.flatnonzero(_all(snapshot, matched, (mask for other, mask in masks.items() if other != name)))
        return self._values(snapshot, name, rows, query.filters.get(name, ()), others=others)

    def _values(self, snapshot, name, rows, selected=(), limit: int = FACET_VALUES, others=None) -> list[FacetValue]:
        dimension = snapshot.dimension(name)
        return labels.facet_values(name, dimension.totals(rows, others=others), selected, limit, dimension.combinations.labels)

    def facet(self, query: SearchQuery, name: str, *, text: str = "", limit: int = FACET_VALUES) -> list[FacetValue]:
        look = Look(self, self.snapshot())
        dimension = look.snapshot.dimension(name)
        others = replace(query, filters={other: values for other, values in query.filters.items() if other != name})
        totals = dimension.totals(self._rows(look, others))
        own = dimension.combinations
        known = own.labels
        if text and name in labels.FREE:
            folded, needle = own.folded(), fold(text)
            totals = {value: count for value, count in totals.items() if needle in folded[own.value_of[value]]}
        elif text:
            totals = labels.named_like(name, totals, text, known)
        return labels.facet_values(name, totals, () if text else query.filters.get(name, ()), limit, known)

    def _rows(self, look: Look, query: SearchQuery) -> np.ndarray:
        return np.flatnonzero(_all(look.snapshot, look.matched(planning.plan_of(query, look)), _masks(look.snapshot, query).values()))

    def counts(self, query: SearchQuery, dimension: str) -> list[FacetValue]:
        look = Look(self, self.snapshot())
        found = self._values(look.snapshot, dimension, self._rows(look, query), limit=10_000)
        return [item for item in found if is_top(dimension, item.value)]

    def crosstab(self, query: SearchQuery, rows: str, columns: str) -> dict[tuple[str, str], int]:
        look = Look(self, self.snapshot())
        left, right, found = look.snapshot.dimension(rows), look.snapshot.dimension(columns), self._rows(look, query)
        return {pair: count for pair, count in left.pairs(right, found).items() if is_top(rows, pair[0]) and is_top(columns, pair[1])}

    def volume(self, query: SearchQuery, dimension: str) -> dict[str, int]:
        look = Look(self, self.snapshot())
        rows = self._rows(look, query)
        sums = look.snapshot.dimension(dimension).totals(rows, np.maximum(look.snapshot.numbers["byte_size"][rows], 0).astype(float))
        return top_level(dimension, sums)

    def suggest(self, prefix: str, *, limit: int = 8) -> list[dict]:
        folded = fold(prefix[:100])
        if not folded:
            return []
        look = Look(self, self.snapshot())
        found = ranking.named(look.snapshot, "organization", folded, 2) + ranking.named(look.snapshot, "keyword", folded, 3)
        plan = planning.literal(folded)
        pks = []
        if plan.match is not None:
            rows = np.flatnonzero(look.mask(marked(plan.match, TITLE)))
            ordered = self._ordered(look, rows, SearchQuery(), plan)
            pks = [int(pk) for pk in look.snapshot.numbers["dataset_id"][ordered[:limit]]]
        titles = dict(Dataset.objects.published_of(pks).values_list("pk", "title"))
        named = [{"text": titles[pk], "kind": "title"} for pk in pks if pk in titles]
        return list({item["text"]: item for item in named[: max(limit - len(found), 3)] + found}.values())[:limit]

    def nearest(self, text: str, *, limit: int = 5) -> list[int]:
        look = Look(self, self.snapshot())
        snapshot, scores = look.snapshot, np.zeros(len(look.snapshot))
        conditions = [piece for piece in pieces(fold(text)) if len(piece.token) > 1][:24]
        look.fetch(conditions)
        for piece in conditions:
            rows = look.positions(piece)
            if len(rows):
                scores[rows] += np.log(1 + len(snapshot) / len(rows))
        best = np.lexsort((-snapshot.numbers["dataset_id"], -snapshot.worth, -np.round(scores, 6)))[:limit]
        return [int(snapshot.numbers["dataset_id"][at]) for at in best if scores[at] > 0]

    # --- life of the index

    def build(self, *, on_progress=lambda done, total: None) -> int:
        """Rows are replaced batch by batch, each in its own transaction: searches go on and no writer waits for long."""
        self.renew()
        total, done, last = Dataset.objects.published().count(), 0, 0
        on_progress(0, total)
        while batch := list(Dataset.objects.published().filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH]):
            self.rewrite(batch)
            last, done = batch[-1], done + len(batch)
            on_progress(done, total)
        self.remove(self._ghosts())
        self._drop_stray_tokens()
        self.settle()
        return done

    @transaction.atomic
    def rewrite(self, pks: list[int]) -> None:
        self._next_version()  # no other writer from here on: what is read now is what gets indexed
        self._index(list(Dataset.objects.filter(pk__in=pks)), force=True)

    def renew(self) -> None:
        """An index that was never built starts empty. One of another format stays in use while its rows are written anew."""
        if not SearchState.objects.filter(id=1).exists():
            with transaction.atomic():
                self._next_version()
                self._clear_tokens()
                SearchRow.objects.all().delete()

    def settle(self) -> None:
        """Every row is of this format now."""
        SearchState.objects.filter(id=1).exclude(format=FORMAT).update(format=FORMAT)

    def _ghosts(self) -> list[int]:
        rows = SearchRow.objects.filter(is_gone=False)
        return list(rows.exclude(dataset_id__in=Dataset.objects.published().values("pk")).values_list("dataset_id", flat=True))

    def check(self) -> dict:
        """stale = indexed with other words, values or numbers than the record has now."""
        missing, stale, last = [], [], 0
        token_rows = self._token_rows()
        while batch := list(Dataset.objects.published().filter(pk__gt=last).order_by("pk")[:BATCH]):
            present = self._present([dataset.pk for dataset in batch])
            for document in documents(batch):
                if document.pk not in present or document.pk not in token_rows:
                    missing.append(document.pk)
                elif present[document.pk][0] != document.digest:
                    stale.append(document.pk)
            last = batch[-1].pk
        indexed = set(SearchRow.objects.filter(is_gone=False).values_list("dataset_id", flat=True))
        return {"missing": missing, "stale": stale, "ghost": sorted({*self._ghosts(), *(token_rows - indexed)})}

    def repair(self) -> dict:
        found = self.check()
        self._drop_stray_tokens()
        wrong = found["missing"] + found["stale"]
        for start in range(0, len(wrong), BATCH):
            self.rewrite(wrong[start : start + BATCH])
        self.remove(found["ghost"])
        return found

    def status(self) -> dict:
        state = SearchState.objects.filter(id=1).first()
        return {
            "engine": self.name,
            "rows": SearchRow.objects.filter(is_gone=False).count(),
            "published": Dataset.objects.published().count(),
            "version": state.version if state else 0,
            "format": state.format if state else 0,
            "format_expected": FORMAT,
        }

    # --- what each database does in its own way

    def _upsert(self, rows: list[tuple]) -> None:
        with connection.cursor() as cursor:
            cursor.executemany(UPSERT, rows)

    def _insert_tokens(self, items: list[tuple[int, str]]) -> None:
        raise NotImplementedError

    def _delete_tokens(self, pks: list[int]) -> None:
        """Take these rows out of the token index; SearchRow still holds what was written."""
        raise NotImplementedError

    def _clear_tokens(self) -> None:
        raise NotImplementedError

    def _token_rows(self) -> set[int]:
        raise NotImplementedError

    def _drop_stray_tokens(self) -> None:
        """Tokens that no SearchRow stands for."""
        raise NotImplementedError

    def _match(self, expressions: Sequence[Expression], low: int = 0, high: int = MAX_ID) -> list[str | None]:
        """For each expression the ids of the rows that hold it, joined by commas."""
        raise NotImplementedError


def _masks(snapshot: Snapshot, query: SearchQuery) -> dict[str, np.ndarray]:
    """Rows that each filter leaves, by its dimension; the ranges together under "", which is no facet's own choice."""
    masks = {name: snapshot.dimension(name).mask(values) for name, values in query.filters.items()}
    inside = snapshot.within(query.ranges)
    return masks if inside is None else masks | {"": inside}


def _all(snapshot: Snapshot, matched: np.ndarray | None, masks) -> np.ndarray:
    mask = np.ones(len(snapshot), dtype=bool) if matched is None else matched.copy()
    for other in masks:
        mask &= other
    return mask
