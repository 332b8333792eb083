"""Closer looks at the rows kept of a table: near duplicates, texts, contradicting labels, spans and boxes, the trial model.

At most 20,000 rows, those with the smallest keys: the same rows in whatever order the file has them.
"""

import json
import re
import unicodedata
from collections import Counter, defaultdict
from functools import lru_cache
from pathlib import Path

from quality.profiling import annotation, baseline, limits, neardup
from quality.profiling.table import Table, finding

LABELS = {
    "label", "labels", "标签", "类别", "分类", "类目", "category", "class", "target", "y", "intent", "意图", "sentiment", "情感", "tag",
    "annotation.label",
    "标注", "标注结果", "type_label", "species", "survived",
}  # fmt: skip
TEXT_NAMES = re.compile(r"text|content|正文|文本|内容|描述|评论|对话|问题|question|sentence|paragraph|title|备注|comment|summary|desc", re.I)
TOO_SHORT = 5  # characters of a text
SYMBOLS = 0.4  # share of characters that are neither letters, digits nor spaces
REPEATED = 0.5  # share of a text's five-character pieces that come again
WORD = re.compile(r"[\w\s]", re.UNICODE)
LOG_NAMES = re.compile(r"log|日志|时序|timestamp|时间戳|sensor|传感", re.I)


def look(table: Table, name: str) -> tuple[dict, list[dict]]:
    """(what was seen, findings)."""
    frame = table.kept_frame()
    if frame is None:
        return {}, []
    shown = table.columns[: limits.KEPT_COLUMNS]
    seen: dict = {"rows": frame.height}
    findings: list[dict] = []
    text, label = text_column(shown), label_column(shown)
    if label is not None:
        seen["label_column"] = shown[label].name[:200]
    seen["sketch"] = [f"{key:016x}" for key in frame["key"].unique().sort().head(64)]
    if text is not None:
        seen["text_column"] = shown[text].name[:200]
        texts, places = frame[f"c{text}"].fill_null("").to_list(), frame["place"].to_list()
        logs = bool(LOG_NAMES.search(name) or any(LOG_NAMES.search(column.name) for column in shown))
        seen["modality"] = "log" if logs else "text"
        seen["texts"], found = texts_of(texts, places, shown[text].name)
        findings += found
        seen["near_duplicates"], found = neardup.look(texts, places)
        findings += found
    if label is not None:
        labels = frame[f"c{label}"].fill_null("").to_list()
        others = [f"c{position}" for position in range(min(len(shown), limits.KEPT_COLUMNS)) if position != label and f"c{position}" in frame.columns]
        seen["conflicts"], found = conflicts(frame, others, text, label, shown)
        findings += found
        seen["null_labels"] = {"count": sum(not value.strip() for value in labels), "n": len(labels)}
    seen["sector_words"] = sector_words(frame, shown)
    variants = [item for position, column in enumerate(shown) if (item := variants_of(column))]
    seen["variants"] = variants[:10]
    for item in variants[:10]:
        findings.append(
            finding("0206", "category_variants", "warning", f"列 {item['column'][:60]}", f"同一类别有不同写法：{'、'.join(item['values'][:6])}。")
        )
    geometry, found = annotation.look(frame, [column.name for column in shown])
    seen |= geometry
    findings += found
    if label is not None:
        trial_text = text if text is not None and (TEXT_NAMES.search(shown[text].name) or len(shown) <= 4) else None
        trial, found = baseline.look(frame, [column.name for column in shown], [column.type for column in shown], trial_text, label)
        seen |= trial
        findings += found
    return seen, findings


def text_column(columns) -> int | None:
    """The column with the longest varied texts, a telling name first."""
    best, score = None, 0.0
    for position, column in enumerate(columns):
        if column.type != "text" or column.declared_type == "list" or not column.filled or column.length_total / column.filled < 8:
            continue
        distinct, _exact = column.distinct()
        if distinct < 0.2 * column.filled or column.name.strip().lower() in LABELS:
            continue
        value = min(column.length_total / column.filled, 2000) * column.filled * (4 if TEXT_NAMES.search(column.name) else 1)
        if re.search(r"(^|_)(id|uid|url|uri|hash|md5|sha256)$|编号|网址|链接", column.name, re.I):
            value /= 50
        if value > score:
            best, score = position, value
    return best


def label_column(columns) -> int | None:
    """Only a column that is named as one: a guess would make a trial model of anything."""
    for position, column in enumerate(columns):
        if column.name.strip().lower() in LABELS and column.filled >= 10:
            distinct, _exact = column.distinct()
            if 1 < distinct <= min(200, max(2, column.filled // 3)):
                return position
    return None


@lru_cache(maxsize=1)
def sectors() -> dict[str, list[str]]:
    return json.loads(Path(__file__).with_name("sectorwords.json").read_text(encoding="utf-8"))


def sector_words(frame, columns) -> dict:
    """Rows that hold a word of a sector; a weak sign of what the data is about."""
    import polars as pl

    texts = [f"c{position}" for position, column in enumerate(columns) if column.type == "text" and f"c{position}" in frame.columns]
    if not texts:
        return {"n": 0, "sectors": {}}
    joined = pl.concat_str([pl.col(name).fill_null("") for name in texts], separator=" ")
    counts = frame.select([joined.str.contains_any(words).sum().alias(name) for name, words in sectors().items()]).row(0, named=True)
    return {"n": frame.height, "sectors": {name: int(count) for name, count in counts.items() if count}}


def texts_of(texts: list[str], places: list[str], column: str) -> tuple[dict, list[dict]]:
    counts: Counter = Counter()
    examples: dict[str, list[str]] = defaultdict(list)
    filled = 0
    for text, place in zip(texts, places, strict=True):
        text = text.strip()
        if not text:
            continue
        filled += 1
        for fault, holds in (("short", len(text) < TOO_SHORT), ("symbols", symbol_heavy(text)), ("repetitive", repetitive(text))):
            if holds:
                counts[fault] += 1
                examples[fault].append(place)
    out = {"n": filled, "short": counts["short"], "symbols": counts["symbols"], "repetitive": counts["repetitive"]}
    told = {"short": "过短的文本", "symbols": "符号过多的文本", "repetitive": "自我重复的文本"}
    findings = [
        finding(
            "0208",
            f"text_{fault}",
            "warning",
            f"列 {column[:60]} 第 {'、'.join(sorted(examples[fault], key=_number)[:5])} 行",
            f"{told[fault]}：{number} 条。",
        )  # fmt: skip
        for fault, number in sorted(counts.items())
    ]
    return out, findings


def symbol_heavy(text: str) -> bool:
    """Formulas, tables and garbage. The marks that make nested values JSON are none of the text's."""
    if text[:1] in "[{":
        text = re.sub(r"[\[\]{}\",:]", "", text)
    return len(text) >= 10 and len(WORD.sub("", text)) > SYMBOLS * len(text)


def repetitive(text: str) -> bool:
    if len(text) < 40:
        return False
    pieces = [text[start : start + 5] for start in range(len(text) - 4)]
    return 1 - len(set(pieces)) / len(pieces) > REPEATED


def conflicts(frame, others: list[str], text: int | None, label: int, columns) -> tuple[dict, list[dict]]:
    """Rows whose content also occurs with another label. Content is the text, else all the other columns but an id."""
    import polars as pl

    if text is not None:
        content = pl.col(f"c{text}").str.strip_chars()
    else:
        kept = [name for name in others if not re.search(r"(^|_)id$|编号|序号|^no\.?$", columns[int(name[1:])].name, re.I)]
        if not kept:
            return {"count": 0, "n": 0}, []
        content = pl.concat_str([pl.col(name).fill_null("") for name in kept], separator="\x1f")
    rows = frame.select(content=content, label=pl.col(f"c{label}").str.strip_chars(), place="place").drop_nulls().filter(pl.col("content") != "")
    clashing = (
        rows.filter(pl.col("label") != "")
        .group_by("content")
        .agg(pl.col("label").n_unique().alias("k"), pl.col("place"), pl.len())
        .filter(pl.col("k") > 1)
    )
    count = int(clashing["len"].sum() or 0)
    if not count:
        return {"count": 0, "n": rows.height}, []
    places = sorted((sorted(row, key=_number)[:2] for row in clashing["place"].to_list()), key=lambda pair: _number(pair[0]))[:5]
    where = f"第 {'、'.join(place for pair in places for place in pair)} 行"
    return {"count": count, "n": rows.height}, [finding("0206", "label_conflict", "warning", where, f"{count} 行内容相同而标签不同。")]


def _number(place: str):
    return (int(place), "") if place.isdigit() else (0, place)


def variants_of(column) -> dict | None:
    """Spellings of one category: width, case, spaces, 市/省 endings, pinyin beside Han."""
    distinct, _exact = column.distinct()
    if column.type != "text" or not column.values_complete or not 1 < distinct <= 200 or distinct * 3 > column.filled:
        return None
    groups = defaultdict(set)
    for value in column.values:
        groups[_folded(value)].add(value)
    if any(re.fullmatch(r"[A-Za-z' ]{3,}", value) for value in column.values) and any(
        "\u4e00" <= char <= "\u9fff" for value in column.values for char in value
    ):
        _by_pinyin(groups)
    found = sorted(value for values in groups.values() if len(values) > 1 for value in values)
    if not found:
        return None
    rows = sum(min(column.values[value] for value in values) for values in groups.values() if len(values) > 1)
    return {"column": column.name[:200], "values": [value[:40] for value in found[:10]], "count": rows, "n": column.filled}


def _folded(value: str) -> str:
    text = re.sub(r"[\s_\-·.]+", "", unicodedata.normalize("NFKC", value).casefold())
    return text[:-1] if len(text) > 2 and text[-1] in "市省" else text


def _by_pinyin(groups) -> None:
    from pypinyin import lazy_pinyin

    for key in [key for key in groups if any("\u4e00" <= char <= "\u9fff" for char in key)]:
        spelled = "".join(lazy_pinyin(key))
        if spelled in groups and spelled != key:
            groups[spelled] |= groups.pop(key)
