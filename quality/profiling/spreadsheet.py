"""XLSX through calamine, sheet by sheet; the archive around it is checked for its true size before it is read."""

import re
import zipfile

from django.utils.translation import gettext_noop as _

from quality.profiling import archive, limits
from quality.profiling.delimited import header_findings
from quality.profiling.table import Refused, Table, finding


def profile(path) -> dict:
    import fastexcel

    formulas, merged = _look_inside(path)
    try:
        book = fastexcel.read_excel(str(path))
        names = list(book.sheet_names)[: limits.SHEETS]
        found = [(name, _sheet(book, name)) for name in names]
    except (fastexcel.FastExcelError, ValueError, OSError, RuntimeError) as error:
        raise Refused(f"XLSX 读不出：{str(error).splitlines()[0][:160]}") from error
    found = [(name, item) for name, item in found if item["rows"] or item["columns"]] or found[:1]
    result = dict(found[0][1]) if len(found) == 1 else archive.merged(found)
    notes = []
    if len(book.sheet_names) > 1:
        notes.append(finding("0201", "sheets", "info", "", f"有 {len(book.sheet_names)} 个工作表。"))
    if merged:
        notes.append(finding("0201", "merged_cells", "warning", "", f"有 {merged} 处合并单元格，按表格读入会成为空值。"))
    if formulas:
        notes.append(finding("0202", "formula", "warning", "", f"有 {formulas} 个公式单元格；这里只看已存的值，不计算公式。"))
    return result | {"sheets": names, "findings": notes + result["findings"]}


def _look_inside(path) -> tuple[int, int]:
    """(formulas, merged ranges); refuses what would unfold past the bounds, whatever its directory states."""
    formulas = merged = 0
    try:
        with zipfile.ZipFile(path) as book:
            archive.check(book)
            for info in book.infolist():
                stream = archive.bounded(book, info)
                tail = b""
                while block := stream.read(1 << 20):
                    if info.filename.startswith("xl/worksheets/"):
                        text = tail + block
                        formulas += len(re.findall(rb"<f[ >]", text)) - len(re.findall(rb"<f[ >]", tail))
                        merged += len(re.findall(rb"<mergeCell ", text)) - len(re.findall(rb"<mergeCell ", tail))
                        tail = text[-12:]
    except (zipfile.BadZipFile, NotImplementedError, OSError, EOFError, ValueError) as error:
        raise Refused(_("XLSX 文件不完整或损坏。")) from error
    return formulas, merged


def _sheet(book, name: str) -> dict:
    sheet = book.load_sheet(name, header_row=None, dtypes="string", n_rows=limits.STATISTIC_ROWS)
    frame = sheet.to_polars()
    rows = frame.iter_rows()
    header = next(rows, None)
    if header is None:
        return Table([]).result() | {"table": None}
    table = Table([cell or "" for cell in header])
    header_findings(table, [cell or "" for cell in header])
    for number, row in enumerate(rows, 2):
        if any(cell and cell.strip() for cell in row):
            table.add(list(row), number)
        else:
            table.rows += 1
            table.blank += 1
    if table.blank:
        table.note("0201", "blank_rows", "warning", "", f"有 {table.blank} 个空行。")
    return table.result() | {"table": table}
