"""Choice of the search engine: the index of the database the records are in."""

from functools import cache

from django.db import connection

from catalog.search.backends.base import SearchBackend


def get_backend() -> SearchBackend:
    return _backend(connection.vendor)


@cache
def _backend(vendor: str) -> SearchBackend:
    if vendor == "postgresql":
        from catalog.search.backends.postgres import PostgresBackend

        return PostgresBackend()
    from catalog.search.backends.sqlite import SqliteBackend

    return SqliteBackend()
