"""Many rows in one statement. bulk_create settles anew, for every value of every row, how it goes into the database, and packs ten
wide rows into a statement of SQLite; here that is settled once per column and a batch is one executemany.

For rows that our own services made: no signals are sent and no waiting files are saved.
"""

import json
from collections.abc import Callable, Sequence
from functools import cache
from operator import attrgetter
from typing import NamedTuple

from django.db import connection, models
from django.utils import timezone

PLAIN = frozenset({str, int, bool, type(None)})  # what both drivers take as it is
AS_IT_IS = (models.CharField, models.TextField, models.IntegerField, models.BooleanField, models.ForeignKey)
PAGE = 200  # rows of one statement on PostgreSQL


class Columns(NamedTuple):
    """The columns of a model: those whose plain values need no change first, then the others each with its way."""

    names: tuple[str, ...]
    plain: Callable
    plain_fields: tuple[models.Field, ...]
    others: tuple[tuple[str, Callable], ...]
    stamped: tuple[models.Field, ...]


def insert(model: type[models.Model], rows: Sequence, *, conflict: Sequence[str] = (), update: Sequence[str] = ()) -> None:
    """Write new rows and set their primary keys; inside a transaction. Where `conflict` fields meet a row that is there already,
    its `update` fields take the new values instead (then the keys of the objects may be wrong)."""
    if not rows:
        return
    columns, memo = _columns(model, connection.vendor), {}
    _give_keys(model, [row for row in rows if row.pk is None])
    now = timezone.now()
    for field in columns.stamped:
        for row in rows:
            if field.auto_now or getattr(row, field.attname) is None:
                setattr(row, field.attname, now)
    _execute(_statement(model, columns.names, conflict, update), [_values(row, columns, memo) for row in rows])


def overwrite(model: type[models.Model], rows: Sequence, names: Sequence[str]) -> None:
    """UPDATE of these fields of rows that exist: bulk_update's CASE per column and row is many times slower."""
    if not rows:
        return
    quote, memo = connection.ops.quote_name, {}
    fields = [model._meta.get_field(name) for name in names]
    ways = [(field.attname, _way(field, connection.vendor)) for field in fields]
    changes = ", ".join(f"{quote(field.column)} = %s" for field in fields)
    statement = f"UPDATE {quote(model._meta.db_table)} SET {changes} WHERE {quote(model._meta.pk.column)} = %s"  # noqa: S608 names of our own
    _execute(statement, [(*[way(getattr(row, name), memo) for name, way in ways], row.pk) for row in rows])


@cache
def _columns(model, vendor) -> Columns:
    fields = model._meta.local_concrete_fields
    plain = [field for field in fields if isinstance(field, AS_IT_IS) and not isinstance(field, models.FileField)]
    others = [field for field in fields if field not in plain]
    return Columns(
        names=tuple(field.column for field in [*plain, *others]),
        plain=attrgetter(*(field.attname for field in plain)),
        plain_fields=tuple(plain),
        others=tuple((field.attname, _way(field, vendor)) for field in others),
        stamped=tuple(field for field in others if getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False)),
    )


def _way(field: models.Field, vendor: str) -> Callable:
    if isinstance(field, AS_IT_IS) and not isinstance(field, models.FileField):
        return lambda value, _memo: value if type(value) in PLAIN else field.get_db_prep_save(value, connection)
    if isinstance(field, models.JSONField) and field.encoder is None:
        return _json
    if isinstance(field, models.UUIDField) and vendor == "sqlite":
        return _hex
    return lambda value, memo: _prepared(field, value, memo)


def _json(value, _memo):
    if value is None:
        return None
    return json.dumps(value) if value or not isinstance(value, list | dict) else "[]" if isinstance(value, list) else "{}"


def _hex(value, _memo):
    return None if value is None else value.hex


def _prepared(field, value, memo):
    """As Django does it; moments and days are the same for most rows of a batch."""
    if not isinstance(field, models.DateField):
        return field.get_db_prep_save(value, connection)
    key = (field.attname, value)
    if key not in memo:
        memo[key] = field.get_db_prep_save(value, connection)
    return memo[key]


def _values(row, columns: Columns, memo: dict) -> tuple:
    plain = [
        value if type(value) in PLAIN else field.get_db_prep_save(value, connection)  # a choice's enum, a lazy text
        for value, field in zip(columns.plain(row), columns.plain_fields, strict=True)
    ]
    return (*plain, *[way(getattr(row, name), memo) for name, way in columns.others])


def _give_keys(model, rows) -> None:
    """Primary keys from the table's own sequence. On SQLite the transaction is the only writer, so that they are free until it ends."""
    if not rows:
        return
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            sequence = connection.ops.quote_name(table)
            cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)", [sequence, len(rows)])
            keys = [key for (key,) in cursor.fetchall()]
        else:
            cursor.execute("SELECT COALESCE((SELECT seq FROM sqlite_sequence WHERE name = %s), 0)", [table])
            last = cursor.fetchone()[0]
            keys = range(last + 1, last + 1 + len(rows))
    for row, key in zip(rows, keys, strict=True):
        row.pk, row._state.adding, row._state.db = key, False, connection.alias


def _statement(model, names, conflict, update) -> str:
    quote = connection.ops.quote_name
    values = "%s" if connection.vendor == "postgresql" else f"({', '.join(['%s'] * len(names))})"
    text = f"INSERT INTO {quote(model._meta.db_table)} ({', '.join(map(quote, names))}) VALUES {values}"  # noqa: S608 names of our own
    if not conflict:
        return text
    column = lambda name: quote(model._meta.get_field(name).column)  # noqa: E731
    changes = ", ".join(f"{column(name)} = excluded.{column(name)}" for name in update)
    return f"{text} ON CONFLICT ({', '.join(map(column, conflict))}) DO UPDATE SET {changes}"


def _execute(statement: str, rows: list[tuple]) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            from psycopg2 import extras

            run = extras.execute_values if statement.startswith("INSERT") else extras.execute_batch
            with connection.wrap_database_errors:  # the driver's own cursor: without this its errors are not Django's
                run(cursor.cursor, statement, rows, page_size=PAGE)
        else:
            cursor.executemany(statement, rows)
