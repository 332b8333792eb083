"""Annotations a machine can check: boxes inside their image, spans inside their text, BIO tags in a legal order."""

import json
import re

from quality.profiling.table import finding

BOX = re.compile(r"bbox|box|边界框|标注框", re.I)
TAGS = re.compile(r"bio|ner_tags|tags?$|标签序列|实体标签", re.I)
SPAN_START, SPAN_END = re.compile(r"^(start|begin|span_start|起始位置|开始)$", re.I), re.compile(r"^(end|span_end|结束位置|结束)$", re.I)
WIDTH, HEIGHT = re.compile(r"^(width|image_width|图像宽度|宽度?)$", re.I), re.compile(r"^(height|image_height|图像高度|高度?)$", re.I)
LEGAL = re.compile(r"^(O|[BIESLUM]-.+)$")


def look(frame, names: list[str]) -> tuple[dict, list[dict]]:
    seen, findings = {}, []
    position = {
        kind: next((n for n, name in enumerate(names) if pattern.search(name.strip())), None)
        for kind, pattern in (("box", BOX), ("tags", TAGS), ("start", SPAN_START), ("end", SPAN_END), ("width", WIDTH), ("height", HEIGHT))
    }
    places = frame["place"].to_list()

    def column(kind):
        return frame[f"c{position[kind]}"].to_list() if position[kind] is not None and f"c{position[kind]}" in frame.columns else None

    if (boxes := column("box")) is not None:
        rows = zip(boxes, column("width") or [None] * len(boxes), column("height") or [None] * len(boxes), strict=True)
        _judge(seen, findings, "boxes", [box_is_good(*row) for row in rows], places, names[position["box"]], "标注框不合法（出界、为负或为空）")
    if (starts := column("start")) is not None and (ends := column("end")) is not None:
        _judge(
            seen, findings, "spans", [span_is_good(*row) for row in zip(starts, ends, strict=True)], places, names[position["start"]], "起止位置颠倒"
        )
    if (tags := column("tags")) is not None:
        _judge(seen, findings, "tags", [tags_are_good(value) for value in tags], places, names[position["tags"]], "BIO 标签序列不合法")
    return ({"geometry": seen} if seen else {}), findings


def _judge(seen: dict, findings: list, kind: str, judged: list, places: list[str], name: str, message: str) -> None:
    n, bad = (
        sum(item is not None for item in judged),
        sorted((place for item, place in zip(judged, places, strict=True) if item is False), key=_number),
    )
    if n < 0.5 * len(judged) or not n:
        return
    seen[kind] = {"n": n, "count": len(bad)}
    if bad:
        findings.append(finding("0203", f"bad_{kind}", "warning", f"列 {name[:60]} 第 {'、'.join(bad[:5])} 行", f"{message}：{len(bad)} 条。"))


def _number(place: str):
    return (int(place), "") if place.isdigit() else (0, place)


def _list(value):
    if value is None or not str(value).strip():
        return None
    text = str(value).strip()
    if text[:1] == "[":
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return None
    return re.split(r"[,，;\s]+", text.strip("()（）{}"))


def box_is_good(value, width=None, height=None) -> bool | None:
    """None where it is no box at all. [x, y, w, h]; with the image's size, inside of it."""
    try:
        numbers = [float(item) for item in _list(value) or []]
        size = (float(width), float(height)) if width not in (None, "") and height not in (None, "") else None
    except (TypeError, ValueError):
        return None
    if len(numbers) != 4:
        return None
    x, y, w, h = numbers
    if x < 0 or y < 0 or w <= 0 or h <= 0:
        return False
    if size is None:
        return True
    return (x + w <= size[0] + 1 and y + h <= size[1] + 1) or (w > x and h > y and w <= size[0] + 1 and h <= size[1] + 1)


def span_is_good(start, end) -> bool | None:
    try:
        return 0 <= float(start) < float(end)
    except (TypeError, ValueError):
        return None


def tags_are_good(value) -> bool | None:
    """I-X only after B-X or I-X; None where these are no BIO tags."""
    tags = _list(value)
    if not isinstance(tags, list) or not tags or not all(isinstance(tag, str) and LEGAL.match(tag) for tag in tags):
        return None
    before = "O"
    for tag in tags:
        if tag[:1] in "IE" and (before == "O" or before[1:] != tag[1:] or before[:1] not in "BIM"):
            return False
        before = tag
    return True
