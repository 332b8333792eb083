"""Parquet through Polars, in slices."""

import json

from django.utils.translation import gettext_noop as _

from quality.profiling import limits
from quality.profiling.table import Refused, Table

TYPES = {"Int": "integer", "UInt": "integer", "Float": "number", "Decimal": "number", "Boolean": "boolean", "Date": "date", "Datetime": "date"}


def profile(path, progress=None) -> dict:
    import polars as pl

    with open(path, "rb") as stream:
        head = stream.read(4)
        stream.seek(-4, 2)
        tail = stream.read(4)
    if head != b"PAR1" or tail != b"PAR1":
        raise Refused(_("Parquet 文件不完整：末尾没有 PAR1 标记，缺少文件脚。"))
    try:
        return _read(pl, path, progress)
    except Refused:
        raise
    except pl.exceptions.PolarsError as error:
        raise Refused(f"Parquet 读不出：{str(error).splitlines()[0][:200]}") from error
    except Exception as error:  # the reader's panics and OS errors come in many classes; each means an unreadable file
        raise Refused(f"Parquet 读不出：{type(error).__name__}。") from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise Refused(_("Parquet 读不出：文件内部结构损坏。")) from error


def _read(pl, path, progress) -> dict:
    rows = int(pl.scan_parquet(path).select(pl.len()).collect().item())
    frame = pl.scan_parquet(path)
    schema = frame.collect_schema()
    table = Table(list(schema.names()))
    for column, dtype in zip(table.columns, schema.dtypes(), strict=True):
        name = str(dtype)
        column.declared_type = next(
            (kind for prefix, kind in TYPES.items() if name.startswith(prefix)), "list" if name.startswith("List") else "text"
        )
    step = max(1, min(20_000, limits.BATCH_CELLS // max(1, len(schema))))
    wanted = min(rows, limits.STATISTIC_ROWS)
    for start in range(0, wanted, step):
        batch = frame.slice(start, min(step, wanted - start)).collect()
        frames = [_as_text(pl, series).alias(str(position)) for position, series in enumerate(batch.get_columns())]
        table.add_frame(pl.DataFrame(frames), range(start + 1, start + 1 + batch.height))
        if progress:
            progress(start + batch.height, rows)
    result = table.result()
    return result | {"rows": rows, "partial": rows > table.statistic_rows, "table": table}


def _as_text(pl, series):
    """As written: floats by their shortest form, nested values as JSON, bytes by their number."""
    dtype = series.dtype
    if dtype == pl.String:
        return series
    if dtype.is_integer() or dtype == pl.Boolean:
        return series.cast(pl.String)
    return pl.Series([_text(value) for value in series], dtype=pl.String)


def _text(value):
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, bytes):
        return f"（{len(value)} 字节）"
    if isinstance(value, (list, dict)):
        return json.dumps(value, ensure_ascii=False, default=_inner)[: limits.CELL_CHARS]
    return str(value)


def _inner(value):
    return f"（{len(value)} 字节）" if isinstance(value, bytes) else str(value)
