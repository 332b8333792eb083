"""Broken and hostile files get a reason, never a traceback, and never much memory."""

import gzip
import io
import json
import pickle
import zipfile

import pytest

from quality.profiling import limits, profile_file, storable

ROWS = "编号,名称\n" + "".join(f"{n},路面病害图像采集于杭州市{n}\n" for n in range(300))


def profile(tmp_path, content, name="file.csv"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return profile_file(path)


def codes(found):
    return {item["code"] for item in found["findings"]}


@pytest.mark.parametrize(
    ("codec", "named"),
    [
        ("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("gbk", "gbk"), ("gb18030", "gbk"),
        ("utf-16", "utf-16"), ("utf-16-le", "utf-16-le"), ("utf-16-be", "utf-16-be"), ("utf-32", "utf-32"),
    ],
)  # fmt: skip
def test_an_encoding_is_recognised_and_the_rows_are_read(tmp_path, codec, named):
    found = profile(tmp_path, ROWS.encode(codec))

    assert (found["encoding"], found["rows"], len(found["columns"])) == (named, 300, 2)


def test_big5_is_told_from_gbk(tmp_path):
    text = "名稱,說明\n" + "".join(f"{n},這是關於臺灣經濟發展與環境保護的資料說明\n" for n in range(50))

    assert profile(tmp_path, text.encode("big5"))["encoding"] == "big5"


def test_four_byte_characters_need_gb18030(tmp_path):
    assert profile(tmp_path, (ROWS + "1,𠮷野家\n").encode("gb18030"))["encoding"] == "gb18030"


def test_a_spoiled_byte_in_utf8_is_counted_with_its_line(tmp_path):
    lines = ROWS.encode().split(b"\n")
    lines[150] = b"149,\xe8\xb7"

    found = profile(tmp_path, b"\n".join(lines))

    assert found["encoding"] == "utf-8" and found["bad_bytes"] >= 1
    assert next(item for item in found["findings"] if item["code"] == "bad_bytes")["place"] == "第 151 行"


def test_an_unclosed_quote_names_its_line_and_what_it_swallowed(tmp_path):
    lines = [f"{n},值{n}" for n in range(5000)]
    lines[99] = '99,"值'

    found = profile(tmp_path, "a,b\n" + "\n".join(lines))
    item = next(item for item in found["findings"] if item["code"] == "unclosed_quote")

    assert item["place"] == "第 101 行"
    assert found["swallowed_lines"] == 4900


def test_quoted_newlines_are_not_defects_and_keep_line_numbers_right(tmp_path):
    found = profile(tmp_path, 'a,b\n1,"x\ny"\n2\n3,z\n')

    assert (found["rows"], found["ragged_rows"]) == (3, 1)
    assert next(item for item in found["findings"] if item["code"] == "ragged_rows")["place"] == "第 4 行"


@pytest.mark.parametrize("line", ["x" * (limits.LINE_CHARS + 10), "a," * (limits.LINE_CHARS // 2 + 10)])
def test_a_giant_line_is_refused_with_its_number(tmp_path, line):
    found = profile(tmp_path, "a,b\n1,2\n" + line)

    assert not found["readable"]
    assert "第 3 行" in found["reason"] or "列" in found["reason"]


def test_a_gzip_bomb_is_refused(tmp_path):
    found = profile(tmp_path, gzip.compress(b"0" * 64 * 1024**2), "bomb.csv.gz")

    assert not found["readable"] and "压缩炸弹" in found["reason"]


def test_a_truncated_gzip_is_refused(tmp_path):
    assert not profile(tmp_path, gzip.compress(ROWS.encode())[:-20], "cut.csv.gz")["readable"]


def test_gzip_of_a_table_is_profiled(tmp_path):
    found = profile(tmp_path, gzip.compress(ROWS.encode()), "table.csv.gz")

    assert (found["format"], found["rows"], found["compression"]) == ("CSV", 300, "gzip")


class Bomb:
    def __reduce__(self):
        return (exec, ("raise SystemExit('unpickled')",))


@pytest.mark.parametrize("name", ["model.pkl", "data.csv"])
def test_a_pickle_is_never_loaded(tmp_path, name):
    found = profile(tmp_path, pickle.dumps(Bomb()), name)

    assert found["rows"] is None or found["format"] != "PICKLE"


def test_a_zip_is_not_extracted_and_a_cut_one_is_refused(tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../evil.csv", "a,b\n" * 1000)

    whole, cut = profile(tmp_path, buffer.getvalue(), "a.zip"), profile(tmp_path, buffer.getvalue()[:-40], "b.zip")

    assert not whole["readable"] and "路径不安全" in whole["reason"]
    assert not cut["readable"]


@pytest.mark.parametrize(
    ("content", "where"),
    [('[{"a": 1},\n {"a": }]', "第 2 行第 8 列"), ('{"a": 1', "第 1 行"), ("[1, 2", "第 1 行")],
)
def test_broken_json_names_line_and_column(tmp_path, content, where):
    found = profile(tmp_path, content, "a.json")

    assert not found["readable"] and where in found["reason"]


def test_a_broken_line_of_json_lines_is_counted(tmp_path):
    lines = [json.dumps({"id": n, "text": "中文"}) for n in range(50)]
    lines[30] = '{"id": 30, "text": '

    found = profile(tmp_path, "\n".join(lines), "a.jsonl")

    assert (found["readable"], found["rows"], found["ragged_rows"]) == (True, 50, 1)
    assert "第 31 行" in next(item for item in found["findings"] if item["code"] == "broken_json")["place"]


def test_deep_nesting_is_no_crash(tmp_path):
    found = profile(tmp_path, "[" * 200_000 + "]" * 200_000, "deep.json")

    assert not found["readable"] and found["reason"]


def test_late_keys_are_missing_in_earlier_records(tmp_path):
    found = profile(tmp_path, '{"a":1}\n{"a":2}\n{"a":3,"b":"x"}\n', "a.jsonl")

    assert {column["name"]: column["missing"] for column in found["columns"]} == {"a": 0, "b": 2}


@pytest.mark.parametrize("size", [0, 1, 4, 8, 40, 300, 900])
def test_a_parquet_cut_anywhere_is_refused(tmp_path, size):
    import polars as pl

    path = tmp_path / "whole.parquet"
    pl.DataFrame({"a": list(range(100)), "b": ["中文"] * 100}).write_parquet(path)
    cut = tmp_path / "cut.parquet"
    cut.write_bytes(path.read_bytes()[:size])

    found = profile_file(cut)

    assert profile_file(path)["rows"] == 100
    assert not found["readable"] or found["rows"] == 0


def test_a_damaged_parquet_is_refused(tmp_path):
    import polars as pl

    path = tmp_path / "whole.parquet"
    pl.DataFrame({"a": list(range(1000))}).write_parquet(path)
    raw = bytearray(path.read_bytes())
    raw[-60:-8] = b"\xff" * 52
    path.write_bytes(raw)

    found = profile_file(path)

    assert not found["readable"] and found["reason"]


@pytest.mark.parametrize(
    "content",
    [b"", b"\n", b"\n\n\n", b"\x00" * 100, b"\xff\xfe", b"a", b",", b'"', b"\xef\xbb\xbf", b"PAR1", b"\x1f\x8b", b"PK\x03\x04", b"{", b"[]"],
)
@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.json", "a.jsonl", "a.parquet", "a.txt", "a", "a.csv.gz"])
def test_nothing_small_crashes(tmp_path, content, name):
    found = profile(tmp_path, content, name)

    assert isinstance(found["readable"], bool)
    assert found["readable"] or found["reason"]


@pytest.mark.parametrize("name", ["sheet.xlsx", "image.png", "photo.jpg", "sound.wav", "set.zip", "table.parquet"])
def test_a_damaged_file_is_an_answer_and_no_exception(tmp_path, name):
    import random

    import polars as pl

    from tests.quality import faults
    from tests.quality.test_profiling_formats import workbook

    made = io.BytesIO()
    pl.DataFrame({"a": range(200), "b": [["x", "y"]] * 200}).write_parquet(made)
    whole = {"sheet.xlsx": workbook([["a"], [1]]), "image.png": faults.picture(kind="PNG"), "photo.jpg": faults.picture(),
             "sound.wav": faults.sound(0.5, seconds=0.2),
             "set.zip": faults.archive({"a.csv": b"a,b\n1,2\n", "b.jpg": faults.picture()}), "table.parquet": made.getvalue()}[name]  # fmt: skip
    draw = random.Random(8)
    for _ in range(12):
        spoilt = bytearray(whole)
        for _byte in range(draw.choice([1, 3, 30])):
            spoilt[draw.randrange(len(spoilt))] = draw.randrange(256)

        found = profile(tmp_path, bytes(spoilt[: draw.randrange(1, len(spoilt))] if draw.random() < 0.3 else spoilt), name)

        assert isinstance(found["readable"], bool) and (found["readable"] or found["reason"])


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    assert not profile_file(tmp_path / "none.csv")["readable"]
    assert not profile_file(tmp_path)["readable"]


def test_preview_is_capped_and_masked(tmp_path):
    found = profile(tmp_path, "a,b\n" + "\n".join(f"13800138{n:03},{'长' * 900}" for n in range(40)))

    assert len(found["preview"]) == 20
    assert all(len(cell) <= 501 for row in found["preview"] for cell in row)
    assert "13800138000" not in str(found["preview"])


@pytest.mark.parametrize("width", [3, 500, 9074])
def test_the_stored_form_is_small_and_holds_no_floats(tmp_path, width):
    rows = [",".join(f"列{n}" for n in range(width)), *(",".join(f"{n}.5" for n in range(width)) for _ in range(3))]

    kept = storable(profile(tmp_path, "\n".join(rows)))
    text = json.dumps(kept, ensure_ascii=False)

    def floats(value):
        if isinstance(value, dict):
            return any(map(floats, value.values()))
        return any(map(floats, value)) if isinstance(value, list) else isinstance(value, float)

    assert len(text.encode()) <= limits.STORED_BYTES * 1.3
    assert not floats(kept)
    assert kept["column_count"] == width


def test_order_of_rows_is_irrelevant(tmp_path):
    rows = [f"{n},{'NA' if n % 9 == 0 else n * 1.5},{'甲乙丙'[n % 3]}" for n in range(2000)]
    forward, backward = profile(tmp_path, "\n".join(["a,b,c", *rows])), profile(tmp_path, "\n".join(["a,b,c", *rows[::-1]]))

    for found in (forward, backward):
        found.pop("preview")
    assert forward["missing_cells"] == 223
    assert [{k: v for k, v in c.items() if k != "mean"} for c in forward["columns"]] == [
        {k: v for k, v in c.items() if k != "mean"} for c in backward["columns"]
    ]
