"""One file for every planted fault, what must be found in it and where. `python -m tests.quality.faults --write` puts the table
into docs/quality.md; test_faults.py asserts it."""

import argparse
import gzip
import io
import json
import pickle
import random
import stat
import struct
import tempfile
import wave
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROWS = 300
PLACES = ["杭州市西湖区", "成都市锦江区", "武汉市江岸区", "西安市雁塔区", "广州市天河区", "苏州市虎丘区", "长沙市岳麓区"]
THINGS = ["路面裂缝", "坑槽积水", "护栏缺损", "标线磨损", "井盖下沉", "边坡滑塌", "路灯不亮"]
MARKERS = ("<!-- faults -->", "<!-- /faults -->")


@dataclass(frozen=True)
class Fault:
    name: str  # file
    told: str  # for the table
    make: Callable[[], bytes]
    indicator: str
    code: str
    place: str = ""  # what the place or the message must contain
    readable: bool = True


FAULTS: list[Fault] = []


def fault(name: str, told: str, indicator: str, code: str, place: str = "", *, readable: bool = True):
    def register(make):
        FAULTS.append(Fault(name, told, make, indicator, code, place, readable))
        return make

    return register


def table(change: Callable[[list[list[str]]], object] = lambda rows: None, header: str = "编号,地点,描述,长度,日期,类别") -> str:
    """A clean table of ROWS rows; `change` may spoil it. Row n stands on line n + 2."""
    draw = random.Random(5)
    rows = []
    for n in range(ROWS):
        note = f"{draw.choice(PLACES)}{draw.choice(THINGS)}第{n * 7919 % 1000}处由巡查员{draw.randrange(10**6)}记录于K{draw.randrange(10**5)}桩号"
        row = [
            f"R{n:05}",
            draw.choice(PLACES),
            note,
            f"{draw.gauss(10, 2):.2f}",
            f"2026-0{1 + n % 9}-{1 + n % 28:02}",
            draw.choice(["裂缝", "坑槽", "车辙"]),
        ]
        rows.append(row)
    change(rows)
    return "\n".join([header, *(",".join(row) for row in rows)]) + "\n"


def put(line: int, column: int, value: str):
    """Change one cell, by its line in the file."""
    return lambda rows: rows[line - 2].__setitem__(column, value)


@fault("gbk.csv", "GBK 编码", "0201", "encoding", "gbk")
def _gbk():
    return table().encode("gbk")


@fault("big5.csv", "Big5 编码", "0201", "encoding", "big5")
def _big5():
    return ("名稱,說明\n" + "".join(f"{n},這是關於臺灣經濟發展與環境保護的資料說明\n" for n in range(80))).encode("big5")


@fault("utf16.csv", "UTF-16 编码", "0201", "encoding", "utf-16")
def _utf16():
    return table().encode("utf-16")


@fault("bom.csv", "BOM", "0201", "byte_order_mark", "BOM")
def _bom():
    return table().encode("utf-8-sig")


@fault("bad_byte.csv", "UTF-8 中坏了一个字节", "0201", "bad_bytes", "第 100 行")
def _bad_byte():
    lines = table().encode().split(b"\n")
    lines[99] = lines[99][:-3] + b"\xff" + lines[99][-2:]
    return b"\n".join(lines)


@fault("unclosed_quote.csv", "引号没有闭合", "0201", "unclosed_quote", "第 41 行")
def _unclosed():
    return table(put(41, 2, '"没有闭合')).encode()


@fault("ragged.csv", "列数与表头不同的行", "0201", "ragged_rows", "第 77 行")
def _ragged():
    return table(lambda rows: rows[75].append("多出")).encode()


@fault("blank_rows.csv", "空行", "0201", "blank_rows", "2 个空行")
def _blank():
    lines = table().split("\n")
    return "\n".join([*lines[:50], "", *lines[50:90], "", *lines[90:]]).encode()


@fault("duplicate_header.csv", "重复的列名", "0201", "duplicate_header", "日期")
def _headers():
    return table(header="编号,地点,描述,日期,日期,类别").encode()


@fault("comment_line.csv", "表头前的注释行", "0201", "comment_line", "第 1 行")
def _comment():
    return ("# 导出于 2026 年\n" + table()).encode()


@fault("misfit.csv", "不合类型的值", "0201", "type_misfit", "长度")
def _misfit():
    return table(lambda rows: [row.__setitem__(3, "约十米") for row in rows[:6]]).encode()


@fault("broken_line.jsonl", "一行坏掉的 JSON", "0201", "broken_json", "第 31 行")
def _broken_json():
    lines = [json.dumps({"id": n, "text": THINGS[n % 7]}, ensure_ascii=False) for n in range(60)]
    return "\n".join([*lines[:30], '{"id": 30, "text": ', *lines[31:]]).encode()


@fault("broken.json", "坏掉的 JSON 文件", "0201", "unreadable", "第 2 行", readable=False)
def _broken_document():
    return b'[{"a": 1},\n {"a": }]'


def record(n: int, **change) -> dict:
    base = {
        "id": f"REC{n:06}", "rid": None,
        "data_content": [{"media_type": "text", "content": f"{PLACES[n % 7]}{THINGS[n % 5]}，桩号 K{n * 37}，巡查员{n * 7919 % 9973}"}],
        "annotation": {"label": THINGS[n % 3], "annotation_method": "人工", "annotator": "专业标注员"}, "original_time": "2026-05-01",
        "last_modified_time": "2026-06-01", "version": "1.0.0", "license": "CC-BY-4.0", "source": "自有", "source_details": "养护巡查系统",
        "generated_data_indicator": 0,
    }  # fmt: skip
    return base | change


@fault("records.jsonl", "TC609 记录缺字段、时间颠倒", "0201", "record_field", "第 12 行")
def _records():
    records = [record(n) for n in range(60)]
    records[11]["last_modified_time"] = "2025-01-01"
    return "\n".join(json.dumps(item, ensure_ascii=False) for item in records).encode()


@fault("truncated.parquet", "截断的 Parquet", "0201", "unreadable", "文件脚", readable=False)
def _parquet():
    import polars as pl

    target = io.BytesIO()
    pl.DataFrame({"a": range(1000)}).write_parquet(target)
    return target.getvalue()[:-20]


def picture(seed: int = 1, size=(160, 120), *, blur: int = 0, kind: str = "JPEG", light: float = 1.0) -> bytes:
    """Random blocks and noise; no two seeds look alike."""
    from PIL import Image, ImageFilter

    draw = random.Random(seed)
    image = Image.new("RGB", size)
    image.putdata([tuple(int(draw.randrange(256) * light) for _ in range(3)) for _ in range(size[0] * size[1])])
    small = Image.new("RGB", (8, 6))
    small.putdata([tuple(int(draw.randrange(256) * light) for _ in range(3)) for _ in range(48)])
    image = Image.blend(image, small.resize(size, Image.Resampling.NEAREST), 0.8)
    if blur:
        image = image.filter(ImageFilter.GaussianBlur(blur))
    target = io.BytesIO()
    image.save(target, kind, quality=92)
    return target.getvalue()


@fault("truncated.jpg", "截断的 JPEG", "0201", "unreadable", "结束标记", readable=False)
def _jpeg():
    whole = picture(size=(320, 240))
    return whole[: len(whole) // 2]


@fault("patched.jpg", "截断后补了结束标记的 JPEG", "0201", "image_cut", "patched.jpg")
def _patched_jpeg():
    return _jpeg() + b"\xff\xd9"


def archive(members: dict[str, bytes], *, links: tuple = ()) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in members.items():
            info = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = ((stat.S_IFLNK if name in links else stat.S_IFREG) | 0o644) << 16
            made.writestr(info, content)
    return target.getvalue()


@fault("bomb.zip", "ZIP 炸弹", "0201", "unreadable", "压缩炸弹", readable=False)
def _bomb():
    return archive({"a.csv": b"0" * 64 * 1024**2})


@fault("traversal.zip", "ZIP 成员名带 ..", "0201", "unreadable", "路径不安全", readable=False)
def _traversal():
    return archive({"../../evil.csv": b"a,b\n1,2\n"})


@fault("symlink.zip", "ZIP 里的符号链接", "0201", "unreadable", "符号链接", readable=False)
def _symlink():
    return archive({"data.csv": b"/etc/passwd"}, links=("data.csv",))


@fault("nested.zip", "嵌套的压缩包", "0201", "unreadable", "inner.zip")
def _nested():
    return archive({"inner.zip": archive({"a.csv": b"a,b\n1,2\n"}), "data.csv": table().encode()})


@fault("member.zip", "压缩包里一张坏图", "0201", "unreadable", "images/3.jpg")
def _member():
    pictures = {f"images/{n}.jpg": picture(n) for n in range(1, 6)}
    pictures["images/3.jpg"] = pictures["images/3.jpg"][:900]
    return archive(pictures)


@fault("bomb.csv.gz", "gzip 炸弹", "0201", "unreadable", "压缩炸弹", readable=False)
def _gzip():
    return gzip.compress(b"0" * 64 * 1024**2)


@fault("bomb.png", "像素炸弹", "0201", "unreadable", "像素", readable=False)
def _pixels():
    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\x00" * 1000)) + chunk(b"IEND", b"")


def identity(draw: random.Random) -> str:
    from quality.profiling.identifiers import PROVINCES, WEIGHTS

    body = f"{draw.choice(sorted(PROVINCES))}0102{draw.randint(1950, 2010)}{draw.randint(1, 12):02}{draw.randint(1, 28):02}{draw.randint(0, 999):03}"
    return body + "10X98765432"[sum(w * int(c) for w, c in zip(WEIGHTS, body, strict=True)) % 11]


@fault("glued_ids.csv", "粘在汉字间的身份证号", "0202", "id_card", "描述")
def _glued():
    draw = random.Random(3)
    return table(lambda rows: [row.__setitem__(2, f"患者{identity(draw)}已出院") for row in rows[:8]]).encode()


@fault("secret.csv", "密钥", "0202", "secret", "描述")
def _secret():
    return table(put(20, 2, "AKIA" + "ABCDEFGH12345678 用于上传")).encode()


@fault("lexicon.csv", "词表命中（待人工确认）", "0202", "word_hit", "描述")
def _lexicon():
    return table(put(33, 2, "本案涉及电信诈骗与洗钱，已移送")).encode()


@fault("formula.csv", "以公式开头的单元格", "0202", "formula", "描述")
def _formula():
    return table(put(15, 2, "=HYPERLINK(1)")).encode()


@fault("bad_boxes.csv", "出界的标注框", "0203", "bad_boxes", "第 6 行")
def _boxes():
    rows = [f'{n}.jpg,640,480,"[{n},10,50,40]"' for n in range(40)]
    rows[4] = '4.jpg,640,480,"[620,10,50,40]"'
    return ("file,width,height,bbox\n" + "\n".join(rows)).encode()


@fault("bad_tags.jsonl", "不合法的 BIO 序列", "0203", "bad_tags", "第 9 行")
def _tags():
    items = [{"tokens": ["在", "杭", "州"], "ner_tags": ["O", "B-LOC", "I-LOC"], "n": n} for n in range(40)]
    items[8]["ner_tags"] = ["O", "I-LOC", "B-LOC"]
    return "\n".join(json.dumps(item, ensure_ascii=False) for item in items).encode()


@fault("disguised_null.csv", "用 NA、无、- 代替的空值", "0204", "disguised_null", "地点")
def _nulls():
    return table(lambda rows: [row.__setitem__(1, ["NA", "无", "-"][n % 3]) for n, row in enumerate(rows[:60])]).encode()


@fault("sentinel.csv", "用 999 代替的空值", "0204", "sentinel", "长度")
def _sentinel():
    return table(lambda rows: [row.__setitem__(3, "999") for row in rows[:30]]).encode()


@fault("missing.csv", "一列大量缺失", "0204", "missing", "描述")
def _missing():
    return table(lambda rows: [row.__setitem__(2, "") for row in rows[:120]]).encode()


@fault("conflict.csv", "内容相同而标签不同", "0206", "label_conflict", "第 10、200 行")
def _conflict():
    def change(rows):
        rows[198][2], rows[8][5], rows[198][5] = rows[8][2], "裂缝", "坑槽"

    return table(change).encode()


@fault("mixed_dates.csv", "日期写法不一", "0206", "mixed_dates", "日期")
def _dates():
    return table(lambda rows: [row.__setitem__(4, row[4].replace("-", "/")) for row in rows[:40]]).encode()


@fault("mixed_units.csv", "单位不一", "0206", "mixed_units", "长度")
def _units():
    return table(lambda rows: [row.__setitem__(3, row[3] + ("米" if n % 5 else "厘米")) for n, row in enumerate(rows)]).encode()


@fault("variants.csv", "同一类别的不同写法", "0206", "category_variants", "地点")
def _variants():
    return table(lambda rows: [row.__setitem__(1, ["成都", "Chengdu", "武汉"][n % 3]) for n, row in enumerate(rows)]).encode()


@fault("duplicates.csv", "重复行", "0208", "duplicate_rows", "20 行")
def _duplicates():
    return table(lambda rows: rows.extend([row.copy() for row in rows[:20]])).encode()


@fault("near_duplicates.csv", "近似重复的文本", "0208", "near_duplicates", "302")
def _near():
    return table(lambda rows: rows.append([*rows[3][:2], rows[3][2] + "。", *rows[3][3:]]) or rows[-1].__setitem__(0, "R99999")).encode()


@fault("mojibake.csv", "乱码（锟斤拷、U+FFFD）", "0208", "dirty_text", "描述")
def _mojibake():
    return table(put(50, 2, "锟斤拷锟斤拷")).encode()


@fault("html.csv", "HTML 残留", "0208", "dirty_text", "描述")
def _html():
    return table(put(60, 2, "<p>路面裂缝</p>")).encode()


@fault("repetitive.csv", "自我重复的文本", "0208", "text_repetitive", "第 70 行")
def _repetitive():
    return table(put(70, 2, "点击查看更多" * 20)).encode()


@fault("blurred.zip", "模糊的图片", "0208", "image_blurred", "b.jpg")
def _blurred():
    return archive({"a.jpg": picture(1), "b.jpg": picture(2, blur=9)})


@fault("duplicate_image.zip", "重复的图片", "0208", "image_duplicate", "同 a.jpg")
def _same_image():
    return archive({"a.jpg": picture(1), "b.jpg": picture(1), "c.jpg": picture(2)})


@fault("near_image.zip", "重新压缩的同一图片", "0208", "image_near_duplicate", "近似 a.png")
def _near_image():
    return archive({"a.png": picture(1, kind="PNG"), "b.jpg": picture(1), "c.jpg": picture(2)})


@fault("dark.jpg", "过暗的图片", "0208", "image_dark", "dark.jpg")
def _dark():
    return picture(1, light=0.06)


def sound(level: float, *, clipped: bool = False, seconds: float = 2.0) -> bytes:
    import math

    target = io.BytesIO()
    with wave.open(target, "wb") as made:
        made.setnchannels(1)
        made.setsampwidth(2)
        made.setframerate(16_000)
        tone = (level * math.sin(2 * math.pi * 440 * n / 16_000) for n in range(int(16_000 * seconds)))
        limit = 1.0
        made.writeframes(b"".join(struct.pack("<h", int(32767 * max(-limit, min(limit, 3 * value if clipped else value)))) for value in tone))
    return target.getvalue()


@fault("silent.wav", "静音的录音", "0208", "audio_silent", "silent.wav")
def _silent():
    return sound(0.0)


@fault("clipped.wav", "削波的录音", "0208", "audio_clipped", "clipped.wav")
def _clipped():
    return sound(0.9, clipped=True)


@fault("truncated.wav", "截断的 WAV", "0201", "unreadable", "不完整", readable=False)
def _cut_sound():
    return sound(0.5)[:20_000]


@fault("leakage.csv", "泄漏标签的列", "0305", "leakage", "结果代码")
def _leak():
    return table(
        lambda rows: [row.__setitem__(3, {"裂缝": "1", "坑槽": "2", "车辙": "3"}[row[5]]) for row in rows], header="编号,地点,描述,结果代码,日期,类别"
    ).encode()


@fault("pickle.pkl", "pickle（从不载入）", "", "", readable=True)
def _pickle():
    return pickle.dumps({"a": 1})


def rows_of_table(folder: Path) -> list[tuple[Fault, dict, dict | None]]:
    """(fault, profile, the finding) of every fault."""
    from quality.profiling import profile_file

    out = []
    for item in FAULTS:
        path = folder / item.name
        path.write_bytes(item.make())
        found = profile_file(path)
        out.append((item, found, found_in(item, found)))
    return out


def found_in(item: Fault, profile: dict) -> dict | None:
    return next(
        (
            row
            for row in profile["findings"]
            if (row["indicator"], row["code"]) == (item.indicator, item.code) and item.place in f"{row['place']} {row['message']}"
        ),
        None,
    )


def as_markdown(found: list[tuple[Fault, dict, dict | None]]) -> str:
    lines = ["| planted | file | found as | where |", "|---|---|---|---|"]
    for item, profile, row in found:
        if not item.code:
            lines.append(f"| {item.told} | `{item.name}` | format {profile['format']}, not analysed | |")
            continue
        where = f"{row['place']} {row['message']}".strip() if row else "**not found**"
        where = where[:90].replace("|", "/")
        lines.append(f"| {item.told} | `{item.name}` | {item.indicator} `{item.code}` | {where} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--write", action="store_true", help="into docs/quality.md, between its markers")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="jimu-faults-") as folder:
        text = as_markdown(rows_of_table(Path(folder)))
    if not options.write:
        print(text)
        return
    path = Path(__file__).resolve().parents[2] / "docs" / "quality.md"
    before, _start, rest = path.read_text(encoding="utf-8").partition(MARKERS[0])
    _old, _end, after = rest.partition(MARKERS[1])
    path.write_text(f"{before}{MARKERS[0]}\n{text}\n{MARKERS[1]}{after}", encoding="utf-8")


if __name__ == "__main__":
    import os

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    main()
