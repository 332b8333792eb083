"""Life of the Elasticsearch index: built beside the one in use, compared with the database's index, put right."""

import time
import uuid
from collections.abc import Iterator

from django.conf import settings

from catalog.models import Dataset, SearchRow
from catalog.search.backends import elastic_body as body
from catalog.search.backends.base import EngineDown
from catalog.search.backends.database import BATCH
from catalog.search.backends.elastic_client import WRITING
from catalog.search.backends.elastic_feed import ElasticFeed, live_version

WINDOW = 10_000  # rows one answer reaches by offset
ABANDONED = 600  # seconds after which an index that nobody fills any more is deleted


class ElasticLife(ElasticFeed):
    def build(self, *, on_progress=lambda done, total: None) -> int:
        """A new index beside the one in use, which answers until the new one has everything; then the alias moves."""
        total = Dataset.objects.published().count()
        on_progress(0, total)
        self.database.renew()
        self.database.repair()
        self.database.settle()
        self._quiet_until = 0.0
        with self._asking():
            return self._fill(on_progress)

    def _fill(self, on_progress=lambda done, total: None) -> int:
        index, start, last, done = self._create(), live_version(), 0, 0
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
            index, version = self._live()[0], live_version()
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
