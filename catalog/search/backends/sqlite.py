"""FTS5 in the same file and transaction as the record. The table is contentless: it keeps no text, only where tokens are."""

import zlib
from collections.abc import Sequence

from django.db import connection

from catalog.models import SearchRow
from catalog.search.backends.database import MAX_ID, DatabaseBackend
from catalog.search.expressions import Expression, written

TABLE = "catalog_search_text"
# The ascii tokenizer takes every non-ASCII character as part of a word: tokens are split at our spaces only.
CREATE = f"CREATE VIRTUAL TABLE {TABLE} USING fts5(tokens, content='', detail='none', tokenize='ascii', prefix='1')"


class SqliteBackend(DatabaseBackend):
    name = "sqlite"
    keeps_tokens = True

    def _insert_tokens(self, items: list[tuple[int, str]]) -> None:
        with connection.cursor() as cursor:
            cursor.executemany(f"INSERT INTO {TABLE} (rowid, tokens) VALUES (%s, %s)", items)  # noqa: S608

    def _delete_tokens(self, pks: list[int]) -> None:
        # Without contentless_delete (SQLite 3.43) a delete must name the tokens that were inserted.
        old = SearchRow.objects.filter(dataset_id__in=pks, is_gone=False).values_list("dataset_id", "tokens")
        items = [(pk, zlib.decompress(kept).decode()) for pk, kept in old]
        with connection.cursor() as cursor:
            cursor.executemany(f"INSERT INTO {TABLE} ({TABLE}, rowid, tokens) VALUES ('delete', %s, %s)", items)  # noqa: S608

    def _clear_tokens(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"INSERT INTO {TABLE} ({TABLE}) VALUES ('delete-all')")  # noqa: S608

    def _token_rows(self) -> set[int]:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT id FROM {TABLE}_docsize")  # noqa: S608
            return {pk for (pk,) in cursor.fetchall()}

    def _drop_stray_tokens(self) -> None:
        """Their tokens are not known any more, so the table is emptied and filled again from the rows."""
        rows = SearchRow.objects.filter(is_gone=False)
        if self._token_rows() <= set(rows.values_list("dataset_id", flat=True)):
            return
        self._clear_tokens()
        for pk, kept in rows.values_list("dataset_id", "tokens").iterator():
            self._insert_tokens([(pk, zlib.decompress(kept).decode())])

    def _match(self, expressions: Sequence[Expression], low: int = 0, high: int = MAX_ID) -> list[str | None]:
        one = f"SELECT %s AS at, group_concat(rowid) AS ids FROM {TABLE} WHERE {TABLE} MATCH %s AND rowid BETWEEN %s AND %s"  # noqa: S608
        asked = [
            written(expression, lambda piece: f'"{piece.token}"*' if piece.is_prefix else f'"{piece.token}"', " AND ", " OR ")
            for expression in expressions
        ]
        with connection.cursor() as cursor:
            cursor.execute(" UNION ALL ".join([one] * len(asked)), [value for at, text in enumerate(asked) for value in (at, text, low, high)])
            found = dict(cursor.fetchall())
        return [found[at] for at in range(len(asked))]
