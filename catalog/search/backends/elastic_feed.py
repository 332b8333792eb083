"""What changed, sent to Elasticsearch: the index rows above the mark of its index, each with its version."""

import time
from collections.abc import Iterator

from catalog.models import Dataset, SearchRow, SearchState
from catalog.search.backends import elastic_body as body
from catalog.search.backends.base import EngineDown
from catalog.search.backends.database import BATCH
from catalog.search.backends.elastic_client import VERSIONED, WRITING, ElasticClient
from catalog.search.document import documents
from catalog.search.text import FORMAT


class ElasticFeed(ElasticClient):
    def feed(self) -> int:
        """Send the rows that wait. Makes the index where there is none, it is of another format, or the database went back in time."""
        with self._asking():
            index, mark = self._live()
            if index is None or mark["format"] != FORMAT or mark["version"] > live_version():
                return self._fill()
            return self._send_newer(index, mark["version"])

    def is_behind(self) -> bool:
        try:
            with self._asking():
                index, mark = self._live()
        except EngineDown:
            return False
        return index is None or mark["format"] != FORMAT or mark["version"] != live_version()

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

    def _fill(self, on_progress=lambda done, total: None) -> int:
        """A whole index anew, beside the one in use (elastic_life.py)."""
        raise NotImplementedError


def live_version() -> int:
    return SearchState.objects.filter(id=1).values_list("version", flat=True).first() or 0


def _newer(version: int) -> list[tuple[int, int, bool]]:
    """The next (pk, version, is gone) above a version, never part of what has one version (at most BATCH rows)."""
    rows = SearchRow.objects.filter(version__gt=version).order_by("version", "dataset_id")
    found = list(rows.values_list("dataset_id", "version", "is_gone")[: 2 * BATCH])
    return found if len(found) < 2 * BATCH else [row for row in found if row[1] != found[-1][1]]
