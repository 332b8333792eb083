"""A sample's profile as a table to look at: columns with statistics and a small histogram, and the first rows.

Profiles come from quality.profiling here, and from other portals as part of their listing: whatever a value is, the
result is text and numbers that a template can show.
"""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.drawings import bars
from catalog.formatting import count_text

COLUMNS, ROWS, BARS, CELL = 40, 10, 16, 120
TYPES = {
    "integer": gettext_lazy("整数"),
    "number": gettext_lazy("小数"),
    "text": gettext_lazy("文本"),
    "date": gettext_lazy("日期"),
    "boolean": gettext_lazy("是否"),
    "empty": gettext_lazy("空列"),
}
NUMERIC = ("integer", "number")


def sample_preview(profile: dict) -> dict | None:
    """{"columns": [{"name", "type", "numeric", "bars", "note", "missing"}], "rows": [[cell]], "row_count", "column_count",
    "encoding"}; None when the profile holds no table."""
    if not isinstance(profile, dict) or not isinstance(profile.get("columns"), list):
        return None
    rows = number(profile.get("rows"))
    columns = [_column(column, rows) for column in profile["columns"][:COLUMNS] if isinstance(column, dict)]
    if not columns:
        return None
    shown = [row[: len(columns)] for row in _list(profile.get("preview"))[:ROWS] if isinstance(row, list)]
    numeric = [column["numeric"] for column in columns]
    cells = [[{"text": cell_text(cell), "numeric": flag} for cell, flag in zip(row, numeric, strict=False)] for row in shown]
    return {
        "columns": columns,
        "rows": cells,
        "row_count": rows,
        "column_count": number(profile.get("column_count")) or len(profile["columns"]),
        "encoding": cell_text(profile.get("encoding")),
    }


def _column(column: dict, rows: int | None) -> dict:
    kind = cell_text(column.get("type"))
    missing = number(column.get("missing"))
    total = rows or ((missing or 0) + (number(column.get("filled")) or 0))
    return {
        "name": cell_text(column.get("name")),
        "type": TYPES.get(kind, kind),
        "numeric": kind in NUMERIC,
        "bars": bars(_heights(column)),
        "note": _note(column, kind),
        "missing": f"{100 * missing / total:.3g}%" if total and missing is not None else "",
    }


def _heights(column: dict) -> list[float]:
    """Counts of the histogram's bins, else of the most frequent values."""
    for name in ("histogram", "top"):
        items = [item.get("count") if isinstance(item, dict) else item for item in _list(column.get(name))]
        counts = [max(0, count) for count in map(number, items) if count is not None]
        if len(counts) > 1:
            return counts[:BARS]
    return []


def _note(column: dict, kind: str) -> str:
    low, high = column.get("min"), column.get("max")
    if kind in NUMERIC and low is not None and high is not None:
        return f"{cell_text(low)}–{cell_text(high)}"
    distinct = number(column.get("distinct"))
    return _("%(count)s 个值") % {"count": count_text(distinct)} if distinct else ""


def _list(value) -> list:
    return value if isinstance(value, list) else []


def number(value) -> int | None:
    """A count, also from a text of digits; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return int(float(value))
    except (ValueError, OverflowError):
        return None


def cell_text(value) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else str(value)
    return text if len(text) <= CELL else text[:CELL] + "…"
