"""Plain text: lines as rows of one column."""

from catalog.encoding import Encoding
from quality.profiling.delimited import lines
from quality.profiling.table import Table


def profile(path, encoding: Encoding) -> dict:
    table = Table(["文本"])
    rows = blank = 0
    with open(path, encoding=encoding.name, errors="replace", newline="") as stream:
        for number, line in enumerate(lines(stream), 1):
            rows += 1
            if line.strip():
                table.add([line], number)
            else:
                blank += 1
                table.odd_keys.append(hash(line))
    result = table.result()
    return result | {"rows": rows, "blank_rows": blank, "partial": table.statistic_rows + blank < rows, "table": table}
