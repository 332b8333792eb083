"""The connection to Elasticsearch: the one file that imports its client. Its errors become EngineDown."""

import logging
import time
from collections.abc import Iterable, Sequence
from contextlib import contextmanager
from urllib.parse import urlsplit

from django.conf import settings
from elasticsearch import ApiError, Elasticsearch, TransportError
from elasticsearch.helpers import streaming_bulk
from elasticsearch_dsl import Search

from catalog.search import feeding
from catalog.search.backends.base import EngineDown
from catalog.search.backends.database import BATCH, DatabaseBackend

logger = logging.getLogger(__name__)
PATIENCE = 2  # seconds for one answer; then the database answers
PAUSE = 5  # seconds in which a server that failed is not asked again
WRITING = 60  # seconds for one bulk write
VERSIONED = "external_gte"


class ElasticClient:
    """`alias` names the index that answers; `marks` holds how far each index is fed."""

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

    def _ask(self, asked: dict) -> dict:
        """An answer of all shards: one of some only would be wrong numbers."""
        with self._asking():
            search = Search(using=self.client, index=self.alias).params(allow_partial_search_results=False)
            return search.update_from_dict(asked).execute().to_dict()

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


def _with_port(url: str) -> str:
    parts = urlsplit(url)
    return url if parts.port else parts._replace(netloc=f"{parts.netloc}:{443 if parts.scheme == 'https' else 9200}").geturl()
