"""An Elasticsearch engine with an index of its own, for tests."""

import os
import socket
import threading
import uuid
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection

from catalog.search import backends
from catalog.search.backends.base import SearchBackend
from catalog.search.backends.elasticsearch import ElasticsearchBackend
from tests.processes import free_ports


def never(*args, **kwargs):
    raise AssertionError("the database answered instead of Elasticsearch")


def make_engine(kind: type = ElasticsearchBackend, **options) -> ElasticsearchBackend:
    """On an alias that nobody else has."""
    urls = options.pop("urls", None) or os.environ["ELASTICSEARCH_URL"].split(",")
    engine = kind(backends.database_backend(connection.vendor), alias=f"jimu-test-{uuid.uuid4().hex[:12]}", urls=urls)
    engine.marks = "jimu-test.marks"  # one for all tests: to make an index takes a good part of a second
    return engine


def drop(engine: ElasticsearchBackend) -> None:
    client = engine.client.options(request_timeout=30, ignore_status=404)
    for name in client.indices.get(index=f"{engine.alias}.*").body:
        client.indices.delete(index=name)


@contextmanager
def chosen(engine: SearchBackend):
    """get_backend() answers this engine."""
    before, address = backends.elasticsearch_backend, settings.ELASTICSEARCH_URL
    backends.elasticsearch_backend, settings.ELASTICSEARCH_URL = lambda: engine, [os.environ["ELASTICSEARCH_URL"]]
    try:
        yield engine
    finally:
        backends.elasticsearch_backend, settings.ELASTICSEARCH_URL = before, address


class Gate:
    """A way to the server that can be shut (connections are refused) or stalled (nothing comes back)."""

    def __init__(self):
        address = urlsplit(os.environ["ELASTICSEARCH_URL"].split(",")[0])
        self.server, self.is_stalled, self.open_ones, self.listener = (address.hostname, address.port), False, [], None
        self.port = free_ports()[0]
        self.url = address._replace(netloc=f"127.0.0.1:{self.port}").geturl()
        self.open()

    def open(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", self.port), reuse_port=False)
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def shut(self) -> None:
        with suppress(OSError):  # shut already
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        while self.open_ones:
            with suppress(OSError):
                self.open_ones.pop().shutdown(socket.SHUT_RDWR)

    def _accept(self, listener) -> None:
        with suppress(OSError):
            while True:
                near, far = listener.accept()[0], socket.create_connection(self.server)
                self.open_ones += [near, far]
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=self._pump, args=pair, daemon=True).start()

    def _pump(self, source, target) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if not self.is_stalled:
                    target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


class Prompt(ElasticsearchBackend):
    """Sends and shows at once what is written, inside the test's transaction too, and has no fallback to hide a failure."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.database.after_write = lambda: None
        for name in ("search", "counts", "crosstab", "volume", "suggest", "nearest"):
            setattr(self.database, name, never)

    def _ask(self, asked: dict) -> dict:
        if not self.client.indices.exists_alias(name=self.alias):
            self.feed()
        return super()._ask(asked)

    def feed(self) -> int:
        sent = super().feed()
        self.client.indices.refresh(index=self.alias)
        return sent

    def index(self, datasets) -> None:
        super().index(datasets)
        self.feed()

    def remove(self, pks) -> None:
        super().remove(pks)
        self.feed()


@contextmanager
def prompt_elasticsearch():
    engine = make_engine(Prompt)
    try:
        with chosen(engine):
            yield engine
    finally:
        drop(engine)
