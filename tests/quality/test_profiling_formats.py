"""Encodings, dialects, XLSX and archives are read, not only recognised."""

import io
import zipfile

import pytest

from quality.profiling import profile_file
from tests.quality import faults

HAN = "编号,说明\n" + "".join(f"{n},道路养护巡查记录显示此处路面状况良好并已复核\n" for n in range(60))
TRADITIONAL = "編號,說明\n" + "".join(f"{n},這是關於臺灣經濟發展與環境保護的資料說明\n" for n in range(60))
KOREAN = "번호,설명\n" + "".join(f"{n},이 자료는 도로의 상태를 조사하고 기록한 것이다\n" for n in range(60))
WESTERN = "id,note\n" + "".join(f"{n},Café près de l'église à Besançon — déjà vérifié\n".replace("—", "-") for n in range(60))


def profiled(tmp_path, content, name="file.csv"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return profile_file(path)


@pytest.mark.parametrize(
    ("text", "codec", "named"),
    [
        (HAN, "utf-8", "utf-8"), (HAN, "utf-8-sig", "utf-8-sig"), (HAN, "gbk", "gbk"), (HAN + "60,𠮷野\n", "gb18030", "gb18030"),
        (TRADITIONAL, "big5", "big5"), (TRADITIONAL, "cp950", "big5"), (HAN, "utf-16", "utf-16"), (HAN, "utf-16-le", "utf-16-le"),
        (HAN, "utf-16-be", "utf-16-be"), (HAN, "utf-32", "utf-32"), (KOREAN, "cp949", "cp949"), (WESTERN, "latin-1", "latin-1"),
    ],
)  # fmt: skip
def test_twelve_encodings_are_told_and_read(tmp_path, text, codec, named):
    found = profiled(tmp_path, text.encode(codec))

    assert (found["encoding"], found["rows"]) == (named, text.count("\n") - 1)
    assert found["preview"][5][1] == text.split("\n")[6].split(",")[1]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_delimiters_and_line_ends(tmp_path, delimiter, end):
    lines = [delimiter.join(["a", "b", "c"]), *(delimiter.join([str(n), f"值{n}", f"{n}.5"]) for n in range(40))]

    found = profiled(tmp_path, end.join(lines) + end)

    assert (found["delimiter"], found["rows"], len(found["columns"]), found["ragged_rows"]) == (delimiter, 40, 3, 0)
    assert [column["type"] for column in found["columns"]] == ["integer", "text", "number"]


def test_single_quotes_are_told_where_they_quote(tmp_path):
    rows = [f"{n},'杭州, 西湖 {n}',{n}.5" for n in range(40)]

    found = profiled(tmp_path, "编号,'地点',值\n" + "\n".join(rows) + "\n")

    assert (found["quote"], found["ragged_rows"], found["columns"][1]["name"]) == ("'", 0, "地点")


@pytest.mark.parametrize("spoilt", [None, '7,"a, b",c', '8,"two\nlines",c', "9,a", "", '10,"a ""quoted"" word",c'])
def test_the_fast_and_the_exact_way_count_alike(tmp_path, spoilt, monkeypatch):
    from quality.profiling import delimited

    rows = [f"{n % 50},文本{n % 40},{n % 3}" for n in range(400)]
    if spoilt is not None:
        rows[200] = spoilt
    content = "a,b,c\n" + "\n".join(rows) + "\n"
    fast = profiled(tmp_path, content)
    monkeypatch.setattr(delimited.Reader, "_plain", lambda self, block, statistics: False)
    exact = profiled(tmp_path, content)

    for found in (fast, exact):
        found.pop("content")
    assert fast == exact


def workbook(rows, *, formula=False) -> bytes:
    """A minimal XLSX: text inline, numbers as numbers."""

    def cell(value):
        if value is None:
            return "<c/>"
        if isinstance(value, str):
            return f'<c t="inlineStr"><is><t>{value}</t></is></c>'
        return f"<c>{'<f>1+1</f>' if formula else ''}<v>{value}</v></c>"

    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    related = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    packages = "http://schemas.openxmlformats.org/package/2006"
    kinds = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    rels = "application/vnd.openxmlformats-package.relationships+xml"
    part = '<Override PartName="/xl/'
    body = "".join(f'<row r="{n}">{"".join(map(cell, row))}</row>' for n, row in enumerate(rows, 1))
    members = {
        "[Content_Types].xml": f'<Types xmlns="{packages}/content-types"><Default Extension="rels" ContentType="{rels}"/>'
        f'{part}workbook.xml" ContentType="{kinds}.sheet.main+xml"/>{part}worksheets/sheet1.xml" ContentType="{kinds}.worksheet+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{packages}/relationships">'
        f'<Relationship Id="r1" Type="{related}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{space}" xmlns:r="{related}"><sheets><sheet name="表一" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{packages}/relationships"><Relationship Id="r1" Type="{related}/worksheet" '
        'Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{space}"><sheetData>{body}</sheetData></worksheet>',
    }
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in members.items():
            made.writestr(name, content)
    return target.getvalue()


def test_a_workbook_is_read_sheet_by_sheet(tmp_path):
    rows = [["编号", "城市", "数值"], *([n, ["杭州", "NA"][n % 2], n + 0.5] for n in range(20)), [None, None, None], [5, "成都", 1]]

    found = profiled(tmp_path, workbook(rows), "book.xlsx")

    assert (found["readable"], found["format"], found["rows"], found["blank_rows"]) == (True, "XLSX", 22, 1)
    assert [(column["name"], column["type"], column["missing"]) for column in found["columns"]] == [
        ("编号", "integer", 0), ("城市", "text", 10), ("数值", "number", 0)
    ]  # fmt: skip


def test_formulas_of_a_workbook_are_told_and_not_computed(tmp_path):
    found = profiled(tmp_path, workbook([["a"], [1], [7]], formula=True), "book.xlsx")

    assert "有 2 个公式单元格" in next(item for item in found["findings"] if item["code"] == "formula")["message"]
    assert found["columns"][0]["max"] == 7


def test_members_of_an_archive_are_read_as_the_files_they_are(tmp_path):
    content = {
        "表/一.csv": faults.table().encode("gbk"),
        "二.jsonl": b'{"a": 1, "b": 2}\n{"a": null, "b": 3}\n',
        "图.jpg": faults.picture(1),
        "声.wav": faults.sound(0.5),
    }

    found = profiled(tmp_path, faults.archive(content), "set.zip")

    assert (found["readable"], found["rows"], found["member_count"], found["broken_members"]) == (True, faults.ROWS + 2, 4, 0)
    assert {item["name"]: item["format"] for item in found["members"]} == {"表/一.csv": "CSV", "二.jsonl": "JSONL", "图.jpg": "JPEG", "声.wav": "WAV"}
    assert {group["kind"]: group["count"] for group in found["media"]} == {"image": 1, "audio": 1}
    assert found["missing_cells"] == 1


def test_columns_have_their_statistics(tmp_path):
    found = profiled(tmp_path, "n,label\n" + "".join(f"{n},{'甲乙'[n % 2]}\n" for n in range(1000)))
    number, label = found["columns"]

    assert (number["min"], number["max"], number["mean"], number["quantiles"]) == (0, 999, 499.5, [10, 50, 250, 500, 750, 950, 990])
    assert number["std"] == pytest.approx(288.675)
    assert sum(bar["count"] for bar in number["histogram"]) == 1000
    assert label["shares"] == [["乙", 500], ["甲", 500]]
    assert found["partial"] is False


def test_records_that_reach_over_blocks_are_counted_whatever_the_size_of_a_block(tmp_path, monkeypatch):
    import random

    from quality.profiling import limits

    draw = random.Random(3)
    pieces = ["1,2,3\n", "a,b,c\n", ",,\n", "x, ,\n", "1,2\n", "中,文,\n", '"x,y\nz"', '"', "\ufeff", "\n", "\r\n", "\x1c", "NA"]
    for _ in range(60):
        content = "h1,h2,h3\n" + "".join(draw.choice(pieces) for _ in range(draw.randrange(1, 25)))
        whole = profiled(tmp_path, content)
        monkeypatch.setattr(limits, "BLOCK_BYTES", 32)
        in_pieces = profiled(tmp_path, content)
        monkeypatch.undo()
        for found in (whole, in_pieces):
            for name in ("content", "partial", "findings"):  # which faults are shown as examples may differ, not their numbers
                found.pop(name, None)
        assert whole == in_pieces, content
