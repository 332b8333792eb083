"""Elasticsearch: answers from an index of its own, fed from the index rows of the database.

The database's index stays written in the record's transaction. It is the outbox (rows newer than the mark of the Elasticsearch
index wait to be sent), the fallback (while Elasticsearch gives no answer) and what `check` compares with. Writes carry the
version of the index row, so an older one never takes the place of a newer one, whatever order they arrive in.
"""

import logging
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from urllib.parse import urlsplit

from django.conf import settings
from elasticsearch import ApiError, Elasticsearch, TransportError
from elasticsearch.helpers import streaming_bulk
from elasticsearch_dsl import Search

from catalog.models import Dataset, Organization, SearchRow, SearchState
from catalog.search import feeding, labels
from catalog.search.backends import elastic_body as body
from catalog.search.backends.base import EngineDown, SearchBackend
from catalog.search.backends.database import BATCH, FACET_VALUES, DatabaseBackend
from catalog.search.document import documents
from catalog.search.query import FacetValue, SearchQuery, SearchResult
from catalog.search.ranking import REFINED
from catalog.search.text import FORMAT, TITLE, fold, pieces, terms

logger = logging.getLogger(__name__)
PATIENCE = 2  # seconds for one answer; then the database answers
PAUSE = 5  # seconds in which a server that failed is not asked again
WRITING = 60  # seconds for one bulk write
WINDOW = 10_000  # rows one answer reaches by offset
ABANDONED = 600  # seconds after which an index that nobody fills any more is deleted
VERSIONED = "external_gte"


class ElasticsearchBackend(SearchBackend):
    name = "elasticsearch"

    def __init__(self, database: DatabaseBackend, *, alias: str, urls: Sequence[str] = ()):
        self.database, self.alias, self.marks = database, alias, f"{alias}.marks"
        database.after_write = feeding.ask
        addresses = [_with_port(url) for url in urls or settings.ELASTICSEARCH_URL]
        retries = {"max_retries": 2 * (len(addresses) - 1), "retry_on_status": (502, 503, 504)}
        self.client = Elasticsearch(addresses, request_timeout=PATIENCE, retry_on_timeout=len(addresses) > 1, **retries)
        self._quiet_until = 0.0

    @contextmanager
    def _asking(self):
        """Errors of the server as EngineDown. After one, nobody waits for it for PAUSE seconds."""
        if time.monotonic() < self._quiet_until:
            raise EngineDown("the search server failed a moment ago")
        try:
            yield
        except (ApiError, TransportError) as error:
            if not (isinstance(error, ApiError) and error.meta.status == 400):
                self._quiet_until = time.monotonic() + PAUSE
            logger.warning("Elasticsearch: %s", str(error)[:300])
            raise EngineDown(str(error)[:300]) from error

    # --- writing

    def index(self, datasets: Sequence[Dataset]) -> None:
        self.database.index(datasets)

    def remove(self, pks: Iterable[int]) -> None:
        self.database.remove(pks)

    def feed(self) -> int:
        """Send the rows that wait. Makes the index where there is none, it is of another format, or the database went back in time."""
        with self._asking():
            index, mark = self._live()
            if index is None or mark["format"] != FORMAT or mark["version"] > _version():
                return self._fill()
            return self._send_newer(index, mark["version"])

    def is_behind(self) -> bool:
        try:
            with self._asking():
                index, mark = self._live()
        except EngineDown:
            return False
        return index is None or mark["format"] != FORMAT or mark["version"] != _version()

    def _live(self) -> tuple[str | None, dict]:
        """The index behind the alias and how far it is fed."""
        if not self.client.indices.exists_alias(name=self.alias):
            return None, {}
        index = next(iter(self.client.indices.get_alias(name=self.alias).body))
        return index, self._mark(index) or {"version": 0, "format": FORMAT}

    def _mark(self, index: str) -> dict | None:
        found = self.client.options(ignore_status=404).get(index=self.marks, id=index).body
        return found["_source"] if found.get("found") else None

    def _set_mark(self, index: str, version: int) -> None:
        mark = {"version": version, "format": FORMAT, "at": int(time.time())}
        client = self.client.options(ignore_status=409, request_timeout=WRITING)  # 409: another feed is further
        client.index(index=self.marks, id=index, document=mark, version=version, version_type=VERSIONED)

    def _send_newer(self, index: str, version: int) -> int:
        """Versions become visible in their order (writers of index rows wait for each other): a mark misses none."""
        sent = 0
        while rows := _newer(version):
            self._bulk(index, self._actions(index, rows))
            version, sent = rows[-1][1], sent + len(rows)
            self._set_mark(index, version)
        return sent

    def _actions(self, index: str, rows: list[tuple[int, int, bool]]) -> Iterator[dict]:
        """Bulk actions of (pk, version, is gone). What is sent is read now, and may only be newer than the row tells."""
        found = Dataset.objects.in_bulk([pk for pk, _version, is_gone in rows if not is_gone])
        shaped = {document.pk: document for document in documents(list(found.values()))}
        for pk, version, _is_gone in rows:
            action = {"_index": index, "_id": str(pk), "version": version, "version_type": VERSIONED}
            if pk in shaped:
                yield action | {"_op_type": "index", "_source": body.source(shaped[pk], found[pk].download_count)}
            else:
                yield action | {"_op_type": "delete"}

    def _bulk(self, index: str, actions: Iterable[dict]) -> None:
        """A conflict means that something newer is there. A row that the server refuses for what it says holds up no other: `check`
        tells it as missing. Anything else is EngineDown."""
        client = self.client.options(request_timeout=WRITING)
        options = {"chunk_size": BATCH, "max_retries": 4, "initial_backoff": 0.5, "raise_on_error": False}
        for is_done, answer in streaming_bulk(client, actions, **options):
            told = next(iter(answer.values()))
            error = told.get("error") or {}
            if told["status"] == 400:
                logger.error("Elasticsearch refuses dataset %s: %s", told["_id"], str(error)[:300])
            elif not is_done and (told["status"] not in (404, 409) or error.get("type") == "index_not_found_exception"):
                raise EngineDown(f"{index}: {error}"[:300])

    # --- life of the index

    def build(self, *, on_progress=lambda done, total: None) -> int:
        """A new index beside the one in use, which answers until the new one has everything; then the alias moves."""
        total = Dataset.objects.published().count()
        on_progress(0, total)
        self.database.renew()
        self.database.repair()
        self._quiet_until = 0.0
        with self._asking():
            return self._fill(on_progress)

    def _fill(self, on_progress=lambda done, total: None) -> int:
        index, start, last, done = self._create(), _version(), 0, 0
        self._set_mark(index, start)
        rows = SearchRow.objects.filter(is_gone=False).order_by("dataset_id")
        total = rows.count()
        while batch := list(rows.filter(dataset_id__gt=last).values_list("dataset_id", "version", "is_gone")[:BATCH]):
            self._bulk(index, self._actions(index, batch))
            self._set_mark(index, start)
            last, done = batch[-1][0], done + len(batch)
            on_progress(done, max(done, total))
        self._send_newer(index, start)
        self._swap(index)
        self._send_newer(index, self._mark(index)["version"])
        return done

    def _create(self) -> str:
        """Dots, because a portal's name has none: cn.* holds no index of cn-33."""
        index = f"{self.alias}.{int(time.time())}-{uuid.uuid4().hex[:8]}"
        client = self.client.options(request_timeout=WRITING)
        copies = {"number_of_shards": settings.ELASTICSEARCH_SHARDS, "number_of_replicas": settings.ELASTICSEARCH_REPLICAS}
        if not client.indices.exists(index=self.marks):
            client.options(ignore_status=400).indices.create(index=self.marks, settings=copies | {"number_of_shards": 1}, mappings={"dynamic": False})
        own = {"refresh_interval": "-1", "gc_deletes": "1h", "max_result_window": WINDOW}
        client.indices.create(index=index, settings=copies | own, mappings=body.MAPPING)
        return index

    def _swap(self, index: str) -> None:
        client = self.client.options(request_timeout=WRITING)
        client.indices.put_settings(index=index, settings={"refresh_interval": "1s"})
        client.indices.refresh(index=index)
        before = list(client.indices.get_alias(name=self.alias).body) if client.indices.exists_alias(name=self.alias) else []
        moves = [{"remove": {"index": old, "alias": self.alias}} for old in before] + [{"add": {"index": index, "alias": self.alias}}]
        client.indices.update_aliases(actions=moves)
        for old in {*before, *self._abandoned(index)}:
            client.options(ignore_status=404).indices.delete(index=old)
            client.options(ignore_status=404).delete(index=self.marks, id=old)

    def _abandoned(self, index: str) -> list[str]:
        """What builds that were killed left behind."""
        names = [name for name in self.client.indices.get(index=f"{self.alias}.*").body if name not in (index, self.marks)]
        return [name for name in names if (self._mark(name) or {"at": 0})["at"] < time.time() - ABANDONED]

    def check(self) -> dict:
        """Of both indexes: that of the database against the records, and Elasticsearch against that of the database."""
        found = self.database.check()
        self.feed()
        with self._asking():
            differing = self._differing()
            if any(differing.values()):  # written while it was compared?
                self.feed()
                again = self._differing()
                differing = {kind: [pk for pk in pks if pk in set(again[kind])] for kind, pks in differing.items()}
        return {kind: sorted({*pks, *differing[kind]}) for kind, pks in found.items()}

    def _differing(self) -> dict[str, list[int]]:
        client = self.client.options(request_timeout=WRITING)
        client.indices.refresh(index=self.alias)
        found: dict[str, list[int]] = {"missing": [], "stale": [], "ghost": []}
        for low, high, there in self._stretches(client):
            rows = SearchRow.objects.filter(is_gone=False, dataset_id__gt=low).values_list("dataset_id", "version", "digest")
            here = {pk: told for pk, *told in (rows.filter(dataset_id__lte=high) if high else rows)}
            found["missing"] += here.keys() - there.keys()
            found["ghost"] += there.keys() - here.keys()
            found["stale"] += [pk for pk in here.keys() & there.keys() if here[pk] != there[pk]]
        return found

    def _stretches(self, client) -> Iterator[tuple[int, int | None, dict[int, list]]]:
        """(above, up to, {pk: [version, digest]}) of the whole index as of one point in time; the last one has no end."""
        pit, low = client.open_point_in_time(index=self.alias, keep_alive="2m").body["id"], 0
        try:
            while True:
                asked = {"pit": {"id": pit, "keep_alive": "2m"}, "size": 5000, "sort": [{"pk": "asc"}], "search_after": [low], "version": True}
                hits = client.search(**asked, docvalue_fields=["digest"], source=False, track_total_hits=False).body["hits"]["hits"]
                there = {int(hit["_id"]): [hit["_version"], hit["fields"]["digest"][0]] for hit in hits}
                high = max(there) if len(hits) == 5000 else None
                yield low, high, there
                if high is None:
                    return
                low = high
        finally:
            client.options(ignore_status=404).close_point_in_time(id=pit)

    def repair(self) -> dict:
        found = self.check()
        self.database.repair()
        wrong = found["missing"] + found["stale"]
        for start in range(0, len(wrong), BATCH):
            self.database.rewrite(wrong[start : start + BATCH])  # a newer version than whatever stands there
        self.feed()
        with self._asking():
            index, version = self._live()[0], _version()
            gone = [(pk, version, True) for pk in found["ghost"]]
            self._bulk(index, self._actions(index, gone))
            self.client.indices.refresh(index=index)
            if any(self._differing().values()):  # versions ahead of the database's, after it was restored from a copy
                self._fill()
        return found

    def status(self) -> dict:
        state = self.database.status() | {"engine": self.name, "fallback": self.database.name}
        try:
            with self._asking():
                index, mark = self._live()
                if index is None:
                    return state | {"server": "no index", "rows": 0, "waiting": state["rows"]}
                health = self.client.cluster.health(index=index).body
                waiting = SearchRow.objects.filter(version__gt=mark["version"]).count()
                rows = self.client.count(index=index).body["count"]
        except EngineDown as error:
            return state | {"server": f"down: {error}", "rows": None, "waiting": None}
        return state | {"server": health["status"], "index": index, "rows": rows, "waiting": waiting, "fed": mark["version"]}

    # --- reading

    def _ask(self, asked: dict) -> dict:
        with self._asking():
            return Search(using=self.client, index=self.alias).update_from_dict(asked).execute().to_dict()

    def search(self, query: SearchQuery) -> SearchResult:
        try:
            return self._search(query)
        except EngineDown:
            return replace(self.database.search(query), degraded=True)

    def _search(self, query: SearchQuery) -> SearchResult:
        folded = fold(query.text)
        conditions = pieces(folded)
        needs_score = query.sort in ("relevance", "grade")
        asked = {
            "query": body.scored(conditions, folded) if needs_score else body.having(conditions),
            "post_filter": body.filters(query),
            "sort": body.order(query, bool(conditions)),
            "aggs": body.facets(query),
            "track_total_hits": True,
            "_source": False,
        }
        is_refined = bool(conditions) and query.sort == "relevance" and query.offset < REFINED and 0 < query.limit <= WINDOW - query.offset
        total, ids, counted = self._page(asked, query, folded, is_refined)
        facets = {name: self._values(name, body.facet_totals(told, query.filters.get(name, ())), query) for name, told in counted.items()}
        return SearchResult(total=total, ids=ids, facets=facets, terms=terms(folded), engine=self.name)

    def _page(self, asked: dict, query: SearchQuery, folded: str, is_refined: bool) -> tuple[int, list[int], dict]:
        start, end = query.offset, query.offset + query.limit
        if is_refined:
            answer = self._ask(asked | {"size": max(end, REFINED), "docvalue_fields": ["title"]})
            hits = [(int(hit["_id"]), hit["_score"] or hit["sort"][0], hit["fields"]["title"][0]) for hit in answer["hits"]["hits"]]
            ids = (body.refined(hits[:REFINED], folded) + [hit[0] for hit in hits[REFINED:]])[start:end]
        elif end <= WINDOW:
            answer = self._ask(asked | {"from": start, "size": query.limit})
            ids = [int(hit["_id"]) for hit in answer["hits"]["hits"]]
        else:
            answer = self._ask(asked | {"size": 0})
            ids = self._far(asked, start, query.limit) if start < answer["hits"]["total"]["value"] else []
        return answer["hits"]["total"]["value"], ids, answer.get("aggregations", {})

    def _far(self, asked: dict, offset: int, limit: int) -> list[int]:
        """Beyond WINDOW: from stretch to stretch, each continued where the one before ended."""
        asked = {name: value for name, value in asked.items() if name != "aggs"} | {"track_total_hits": False}
        ids, skipped = [], 0
        while len(ids) < limit:
            size = min(WINDOW, offset - skipped) or min(WINDOW, limit - len(ids))
            hits = self._ask(asked | {"size": size})["hits"]["hits"]
            if not hits:
                break
            if skipped < offset:
                skipped += len(hits)
            else:
                ids += [int(hit["_id"]) for hit in hits]
            asked["search_after"] = hits[-1]["sort"]
        return ids

    def _values(self, name: str, totals: dict[str, int], query: SearchQuery, limit: int = FACET_VALUES) -> list[FacetValue]:
        selected = query.filters.get(name, ())
        return labels.facet_values(name, totals, selected, limit, _providers({*totals, *selected}) if name == "organization" else {})

    def _aggregated(self, query: SearchQuery, aggregation: dict) -> dict:
        matched = body.having(pieces(fold(query.text)))["bool"]["filter"] + body.filters(query)["bool"]["filter"]
        answer = self._ask({"query": {"bool": {"filter": matched}}, "size": 0, "aggs": {"all": aggregation}, "track_total_hits": False})
        return answer["aggregations"]["all"]

    def counts(self, query: SearchQuery, dimension: str) -> list[FacetValue]:
        try:
            totals = body.bucket_totals(self._aggregated(query, body.totals_of(dimension, body.MANY)))
        except EngineDown:
            return self.database.counts(query, dimension)
        return self._values(dimension, totals, replace(query, filters={}), limit=body.MANY)

    def crosstab(self, query: SearchQuery, rows: str, columns: str) -> dict[tuple[str, str], int]:
        inner = {"columns": body.totals_of(columns, body.VALUES)}
        try:
            found = body.buckets(self._aggregated(query, body.totals_of(rows, body.VALUES, inner)))
        except EngineDown:
            return self.database.crosstab(query, rows, columns)
        return {(row, column): count for row, bucket in found for column, count in body.bucket_totals(bucket["columns"]).items()}

    def volume(self, query: SearchQuery, dimension: str) -> dict[str, int]:
        inner = {"bytes": {"sum": {"field": "volume"}}}
        try:
            found = body.buckets(self._aggregated(query, body.totals_of(dimension, body.MANY, inner)))
        except EngineDown:
            return self.database.volume(query, dimension)
        return {value: int(bucket["bytes"]["value"]) for value, bucket in found if bucket["bytes"]["value"]}

    def suggest(self, prefix: str, *, limit: int = 8) -> list[dict]:
        folded = fold(prefix[:100])[:100]
        conditions = pieces(folded)
        if not conditions:
            return []
        try:
            pks, found = self._titles(conditions, folded, limit), self._names(conditions, folded)
        except EngineDown:
            return self.database.suggest(prefix, limit=limit)
        titles = dict(Dataset.objects.filter(pk__in=pks).published().values_list("pk", "title"))
        named = [{"text": titles[pk], "kind": "title"} for pk in pks if pk in titles]
        return list({item["text"]: item for item in named[: max(limit - len(found), 3)] + found}.values())[:limit]

    def _titles(self, conditions, folded: str, limit: int) -> list[int]:
        query = body.scored(conditions, folded)
        query["bool"]["filter"] = body.having(conditions, TITLE)["bool"]["filter"]
        asked = {"query": query, "sort": body.order(SearchQuery(), True), "_source": False, "track_total_hits": False}
        return self._page(asked | {"track_total_hits": True}, SearchQuery(limit=limit), folded, True)[1]

    def _names(self, conditions, folded: str) -> list[dict]:
        asked = {"query": body.having(conditions), "size": 0, "track_total_hits": False, "aggs": body.names_with(folded, 3)}
        answers = self._ask(asked)["aggregations"]
        return body.named(answers, "organization", 2) + body.named(answers, "keyword", 3)

    def nearest(self, text: str, *, limit: int = 5) -> list[int]:
        conditions = [piece for piece in pieces(fold(text)) if len(piece.token) > 1][:24]
        if not conditions:
            return []
        try:
            return self._nearest([body.having([piece]) for piece in conditions], limit)
        except EngineDown:
            return self.database.nearest(text, limit=limit)

    def _nearest(self, parts: list[dict], limit: int) -> list[int]:
        aggs = {"each": {"filters": {"filters": {str(at): part for at, part in enumerate(parts)}}}}
        answer = self._ask({"size": 0, "track_total_hits": True, "aggs": aggs})
        total, each = answer["hits"]["total"]["value"], answer["aggregations"]["each"]["buckets"]
        shared = body.rarity(parts, [each[str(at)]["doc_count"] for at in range(len(parts))], total)
        if not shared:
            return []
        order = [{"_score": "desc"}, {"worth": "desc"}, {"pk": "desc"}]
        hits = self._ask({"query": {"bool": {"should": shared, "minimum_should_match": 1}}, "sort": order, "size": limit, "_source": False})
        return [int(hit["_id"]) for hit in hits["hits"]["hits"]]


def _with_port(url: str) -> str:
    parts = urlsplit(url)
    return url if parts.port else parts._replace(netloc=f"{parts.netloc}:{443 if parts.scheme == 'https' else 9200}").geturl()


def _version() -> int:
    return SearchState.objects.filter(id=1).values_list("version", flat=True).first() or 0


def _newer(version: int) -> list[tuple[int, int, bool]]:
    """The next (pk, version, is gone) above a version, never part of what has one version (at most BATCH rows)."""
    rows = SearchRow.objects.filter(version__gt=version).order_by("version", "dataset_id")
    found = list(rows.values_list("dataset_id", "version", "is_gone")[: 2 * BATCH])
    return found if len(found) < 2 * BATCH else [row for row in found if row[1] != found[-1][1]]


def _providers(uids: Iterable[str]) -> dict[str, str]:
    """Names as they are now."""
    known = []
    for uid in uids:
        try:
            known.append(uuid.UUID(uid))
        except ValueError:
            continue  # MISSING, or what a stranger put in the address
    return {str(uid): name for uid, name in Organization.objects.filter(uid__in=known).values_list("uid", "name")}
