"""Choice of the search engine: Elasticsearch where settings name one, else the index of the database the records are in."""

from functools import cache

from django.conf import settings
from django.db import connection

from catalog.search.backends.base import SearchBackend


def get_backend() -> SearchBackend:
    return elasticsearch_backend() if settings.ELASTICSEARCH_URL else _backend(connection.vendor)


@cache
def elasticsearch_backend() -> SearchBackend:
    from catalog.search.backends.elasticsearch import ElasticsearchBackend

    return ElasticsearchBackend(database_backend(connection.vendor), alias=f"jimu-{settings.PORTAL_ID}")


@cache
def _backend(vendor: str) -> SearchBackend:
    return database_backend(vendor)


def database_backend(vendor: str):
    if vendor == "postgresql":
        from catalog.search.backends.postgres import PostgresBackend

        return PostgresBackend()
    from catalog.search.backends.sqlite import SqliteBackend

    return SqliteBackend()
