"""A tsvector of the same tokens with a GIN index; filters, counts and sorting are the shared snapshot's."""

from collections.abc import Sequence

from django.db import connection
from psycopg2.extras import execute_values

from catalog.models import SearchRow
from catalog.search.backends.database import COLUMNS, MAX_ID, ROW, DatabaseBackend
from catalog.search.expressions import Expression, written

TABLE = "catalog_search_text"
CREATE = (
    f"CREATE TABLE {TABLE} (dataset_id bigint PRIMARY KEY, tokens tsvector NOT NULL)",
    f"CREATE INDEX {TABLE}_tokens ON {TABLE} USING gin (tokens)",
)
MAX_BYTES = 900_000  # a tsvector holds 1 MB of lexemes
UPSERT = (
    f"INSERT INTO {ROW} ({', '.join(COLUMNS)}) VALUES %s "  # noqa: S608
    f"ON CONFLICT (dataset_id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in COLUMNS[1:])}"
)


class PostgresBackend(DatabaseBackend):
    name = "postgresql"

    def _upsert(self, rows: list[tuple]) -> None:
        with connection.cursor() as cursor, connection.wrap_database_errors:  # the driver's own cursor
            execute_values(cursor.cursor, UPSERT, rows, page_size=200)

    def _insert_tokens(self, items: list[tuple[int, str]]) -> None:
        statement = f"INSERT INTO {TABLE} VALUES %s ON CONFLICT (dataset_id) DO UPDATE SET tokens = excluded.tokens"  # noqa: S608
        with connection.cursor() as cursor, connection.wrap_database_errors:
            shaped = [(pk, _fitting(joined)) for pk, joined in items]
            execute_values(cursor.cursor, statement, shaped, template="(%s, array_to_tsvector(string_to_array(%s, ' ')))", page_size=100)

    def _delete_tokens(self, pks: list[int]) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {TABLE} WHERE dataset_id = ANY(%s)", [pks])  # noqa: S608

    def _clear_tokens(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {TABLE}")  # noqa: S608

    def _token_rows(self) -> set[int]:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT dataset_id FROM {TABLE}")  # noqa: S608
            return {pk for (pk,) in cursor.fetchall()}

    def _drop_stray_tokens(self) -> None:
        self._delete_tokens(list(self._token_rows() - set(SearchRow.objects.filter(is_gone=False).values_list("dataset_id", flat=True))))

    def _match(self, expressions: Sequence[Expression], low: int = 0, high: int = MAX_ID) -> list[str | None]:
        one = f"SELECT %s AS at, string_agg(dataset_id::text, ',') AS ids FROM {TABLE} WHERE tokens @@ %s::tsquery AND dataset_id BETWEEN %s AND %s"  # noqa: S608
        asked = [
            written(expression, lambda piece: f"'{piece.token}':*" if piece.is_prefix else f"'{piece.token}'", " & ", " | ")
            for expression in expressions
        ]
        with connection.cursor() as cursor:
            cursor.execute(" UNION ALL ".join([one] * len(asked)), [value for at, text in enumerate(asked) for value in (at, text, low, high)])
            found = dict(cursor.fetchall())
        return [found[at] for at in range(len(asked))]


def _fitting(joined: str) -> str:
    encoded = joined.encode()
    return joined if len(encoded) <= MAX_BYTES else encoded[:MAX_BYTES].decode("utf-8", "ignore").rpartition(" ")[0]
