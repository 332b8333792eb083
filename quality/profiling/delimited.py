"""CSV and TSV. Lines without quotes are split by Polars, a block at a time; what has quotes, odd widths or blanks goes
through the csv module, which is exact about quotes. Both count alike; every record is counted, none is guessed away."""

import codecs
import csv
import io
import re

from django.utils.translation import gettext_noop as _

from catalog.encoding import Encoding
from quality.profiling import limits
from quality.profiling.columns import MARKERS
from quality.profiling.dialect import sniff
from quality.profiling.table import JOINT, SEED, Refused, Table

NEWLINE = re.compile(r"\r\n|\r|\n")
QUOTE_SPAN = 200  # physical lines in one record: more than that is an unclosed quote
MARKER_SET = frozenset(MARKERS)


def lines(stream, before: int = 0):
    """Lines no longer than the bound; the csv module must never be handed a file that is one line."""
    number = before
    while line := stream.readline(limits.LINE_CHARS):
        number += 1
        if len(line) >= limits.LINE_CHARS and line[-1] not in "\r\n":
            raise Refused(f"第 {number} 行超过 {limits.LINE_CHARS} 个字符。")
        yield line


class Source:
    """Blocks of whole lines as UTF-8, and single lines of what is left of one."""

    def __init__(self, stream, encoding: str, *, proved: bool = False):
        self.stream, self.proved = stream, proved
        utf8 = encoding in ("utf-8", "utf-8-sig", "ascii")
        self.decoder = codecs.getincrementaldecoder("utf-8-sig" if utf8 else encoding)("replace")
        self.clean = utf8
        self.rest = b""
        self.line = 1  # number of the next line
        self.begun = self.ended = False

    def block(self) -> bytes:
        """About BLOCK_BYTES ending with a line; b"" at the end."""
        while not self.ended:
            raw = self.stream.read(limits.BLOCK_BYTES)
            self.ended = not raw
            self.rest += self._utf8(raw)
            cut = self.rest.rfind(b"\n") + 1
            if b"\r" in self.rest:  # a lone carriage return ends a line as well; one at the very end may be half of a pair
                cut = max(cut, self.rest.rfind(b"\r", 0, max(0, len(self.rest) - 1)) + 1)
            if cut:
                block, self.rest = self.rest[:cut], self.rest[cut:]
                return block
            if len(self.rest) > 4 * limits.LINE_CHARS:
                raise Refused(f"第 {self.line} 行超过 {limits.LINE_CHARS} 个字符。")
        block, self.rest = self.rest, b""
        return block

    def _utf8(self, raw: bytes) -> bytes:
        if not self.begun and self.clean:
            self.begun, raw = True, raw.removeprefix(codecs.BOM_UTF8)
        if self.proved:  # the whole file was decoded strictly when its encoding was found
            return raw
        if self.clean:
            try:
                if not self.decoder.getstate()[0] and raw:
                    raw.decode("utf-8")
                    return raw
            except UnicodeDecodeError:
                pass
        return self.decoder.decode(raw, final=not raw).encode("utf-8", "replace")


def profile(path, encoding: Encoding, *, preferred: str = ",", progress=None) -> dict:
    csv.field_size_limit(limits.CELL_CHARS)
    delimiter, quote = sniff(path, encoding.name, preferred)
    with open(path, "rb") as stream:
        proved = not encoding.bad_bytes and encoding.name in ("utf-8", "utf-8-sig")
        reader = Reader(Source(stream, encoding.name, proved=proved), delimiter, quote)
        table = reader.read(progress)
    if table is None:
        return {"rows": 0, "columns": [], "ragged_rows": 0, "duplicate_rows": 0, "missing_cells": 0, "findings": []}
    result = table.result()
    extra = {"delimiter": delimiter, "swallowed_lines": reader.swallowed, "physical_lines": reader.line - 1}
    return result | extra | ({"quote": quote} if quote != '"' else {}) | {"table": table}


class Reader:
    def __init__(self, source: Source, delimiter: str, quote: str):
        self.source, self.delimiter, self.quote = source, delimiter, quote
        self.table: Table | None = None
        self.width = 0
        self.line = 1
        self.swallowed = 0
        self.ragged_places: list[str] = []
        self.blocks = 0
        self.share = 1.0  # of a file too long, blocks evenly from start to end enter the statistics

    def read(self, progress=None) -> Table | None:
        total = self.source.stream.seek(0, 2)
        self.source.stream.seek(0)
        while block := self.source.block():
            self.blocks += 1
            if self.table is None:
                block = self._header(block, total)
            if block:
                self._block(block)
            self.source.line = self.line
            if progress:
                progress(self.source.stream.tell(), total)
        if self.table:
            self._notes()
        return self.table

    def _header(self, block: bytes, total: int) -> bytes:
        """Take the header off the first block."""
        first = re.match(rb"[^\r\n]*(?:\r\n|\r|\n)?", block).group()
        rest = block[len(first) :]
        text = first.decode()
        if self.quote in text or len(text) >= limits.LINE_CHARS:
            header, rest = self._quoted_header(block)
        else:
            header, self.line = text.rstrip("\r\n").split(self.delimiter), self.line + 1
            header = header if header != [""] else []
        self.table, self.width = Table(header), len(header)
        self.table.longest = max(map(len, header), default=0)
        header_findings(self.table, header)
        rows = total / max(1.0, len(rest) / max(1, rest.count(b"\n")))
        self.share = min(1.0, limits.STATISTIC_ROWS / rows) if total > 4 * limits.BLOCK_BYTES else 1.0
        return rest

    def _quoted_header(self, block: bytes) -> tuple[list[str], bytes]:
        taken, pulled = [], []

        def feed():
            for line in self._lines(block, pulled):
                taken.append(line)
                yield line

        reader = self._csv(feed())
        try:
            header = next(reader)
        except csv.Error as error:
            raise Refused(f"第 {reader.line_num} 行读不出：{error}。") from error
        self.line += reader.line_num
        return header, b"".join(pulled)[len("".join(taken).encode()) :]

    def _lines(self, block: bytes, pulled: list[bytes]):
        """Lines of a block as text, then of the following blocks, for a record may go on; `pulled` gets every block taken so."""
        before = self.line - 1
        while block:
            pulled.append(block)
            for line in lines(io.StringIO(block.decode(), newline=""), before):
                before += 1
                yield line
            block = self.source.block()

    def _csv(self, feed):
        return csv.reader(feed, delimiter=self.delimiter, quotechar=self.quote)

    def _block(self, block: bytes) -> None:
        statistics = self.share == 1.0 or self.blocks == 1 or int(self.blocks * self.share) > int((self.blocks - 1) * self.share)
        if self.quote.encode() in block or self.width < 2 or self.width > limits.DETAILED_COLUMNS or not self._plain(block, statistics):
            self._slow(block, statistics)

    def _plain(self, block: bytes, statistics: bool) -> bool:
        """A block of lines without quotes, if each has the header's width and none is blank; False leaves it to the csv module."""
        import polars as pl

        if block.startswith(codecs.BOM_UTF8):  # Polars would take it off any block
            return False
        if b"\r" in block[:100_000]:
            block = block.replace(b"\r\n", b"\n")
        if b"\r" in block:
            return False
        if b"\n\n" in block or block.startswith(b"\n"):
            return False
        text = block if block.endswith(b"\n") else block + b"\n"
        options = {"has_header": False, "infer_schema": False, "quote_char": None}
        whole = pl.read_csv(text, separator="\x01", **options).to_series() if b"\x01" not in text else None
        if whole is None or len(whole) != text.count(b"\n"):
            return False
        longest = whole.str.len_bytes().max() or 0
        marks = whole.str.count_matches(self.delimiter, literal=True)
        if longest >= limits.CELL_CHARS or marks.min() != self.width - 1 or marks.max() != self.width - 1:
            return False
        if whole.str.contains(r"^[\s\x1c-\x1f" + re.escape(self.delimiter) + r"]*$").any():
            return False
        keys = whole.hash(seed=SEED)
        start, self.line = self.line, self.line + len(whole)
        if not statistics:
            self.table.rows += len(whole)
            self.table.see(keys)
            return True
        frame = pl.read_csv(text, separator=self.delimiter, **options)
        if frame.width != self.width or frame.height != len(whole):
            self.line = start
            return False
        self.table.add_frame(frame, range(start, start + frame.height), keys)
        return True

    def _slow(self, block: bytes, statistics: bool) -> None:
        import polars as pl

        taken, pulled = [0], []

        def feed():
            for line in self._lines(block, pulled):
                taken[0] += 1
                yield line

        start, rows, places = self.line, [], []
        reader, count, counted = self._csv(feed()), 1, 0
        try:
            while taken[0] < count:
                row = next(reader, None)
                if row is None:
                    break
                while counted < len(pulled):  # the rest of a block that a record reached into belongs to this round
                    count = line_count(pulled[counted]) + (count if counted else 0)
                    counted += 1
                self._row(row, self.line, rows, places)
                self.line = start + taken[0]
                if len(rows) * max(1, self.width) >= limits.BATCH_CELLS:
                    self._frame(pl, rows, places, statistics)
        except csv.Error as error:
            raise Refused(f"第 {start + taken[0] - 1} 行读不出：{error}。") from error
        self._frame(pl, rows, places, statistics)

    def _frame(self, pl, rows: list, places: list, statistics: bool) -> None:
        if rows:
            frame = pl.DataFrame([pl.Series(str(n), values, dtype=pl.String) for n, values in enumerate(zip(*rows, strict=True))])
            keys = pl.Series([(JOINT if any(self.delimiter in cell for cell in row) else self.delimiter).join(row) for row in rows]).hash(seed=SEED)
            self.table.add_frame(frame, places.copy(), keys, statistics=statistics)
        rows.clear()
        places.clear()

    def _row(self, row: list[str], line: int, rows: list, places: list) -> None:
        table = self.table
        span = 1 + sum(len(NEWLINE.findall(cell)) for cell in row if "\n" in cell or "\r" in cell)
        if span > QUOTE_SPAN:
            self.swallowed += span - 1
            table.note("0201", "unclosed_quote", "error", f"第 {line} 行", f"这一行的引号没有闭合，吞掉了后面 {span - 1} 行。")
        if not row or not any(map(str.strip, row)):
            table.rows += 1
            table.blank += 1
            table.ragged += len(row) > 1 and len(row) != self.width
        elif len(row) != self.width:
            self._ragged(row, line)
        else:
            rows.append(row)
            places.append(line)

    def _ragged(self, row: list, line: int) -> None:
        """A row of another width: counted, kept out of the column statistics, its empty cells and markers counted as missing."""
        table = self.table
        table.rows += 1
        table.ragged += 1
        if len(table.odd_keys) < limits.ROW_HASHES:
            table.odd_keys.append(hash(tuple(row)))
        table.longest = max(table.longest, *map(len, row))
        table.extra_empty += sum(not cell.strip() for cell in row)
        table.extra_empty += sum(cell.strip() in MARKER_SET for cell in row[: self.width])
        if len(self.ragged_places) < 20:
            self.ragged_places.append(str(line))

    def _notes(self) -> None:
        table = self.table
        if table.blank:
            table.note("0201", "blank_rows", "warning", "", f"有 {table.blank} 个空行。")
        if table.ragged:
            places = "、".join(self.ragged_places[:5])
            message = f"{table.ragged} 行的列数与表头不同（表头 {self.width} 列）。"
            table.note("0201", "ragged_rows", "error", f"第 {places} 行" if places else "", message)


def line_count(block: bytes) -> int:
    ends = len(NEWLINE.findall(block.decode())) if b"\r" in block else block.count(b"\n")
    return ends + (not block.endswith((b"\n", b"\r")))


def header_findings(table: Table, header: list[str]) -> None:
    stripped = [name.strip() for name in header]
    if stripped and stripped[0].startswith("#"):
        table.note("0201", "comment_line", "warning", "第 1 行", _("表头前有注释行，按表头读入会错位。"))
    if blanks := sum(not name for name in stripped):
        table.note("0201", "blank_header", "warning", "表头", f"{blanks} 个列没有名称。")
    doubles = sorted({name for name in stripped if name and stripped.count(name) > 1}) if len(stripped) <= 2000 else []
    if len(stripped) > 2000 and len(set(stripped)) < len(stripped):
        doubles = ["…"]
    if doubles:
        table.note("0201", "duplicate_header", "warning", "表头", f"列名重复：{'、'.join(doubles[:5])}。")
