"""The record layout of TC609-5-2025-02: eleven fields, one JSON object a line. Each record is checked field by field."""

import datetime
import re
from collections import Counter

from quality.profiling import limits
from quality.profiling.table import finding

FIELDS = (
    "id",
    "rid",
    "data_content",
    "annotation",
    "original_time",
    "last_modified_time",
    "version",
    "license",
    "source",
    "source_details",
    "generated_data_indicator",
)
NULLABLE = ("rid", "annotation")
MEDIA = {"text", "image", "video", "audio"}
VERSION = re.compile(r"v?[0-9]+(?:\.[0-9]+){0,3}(?:[-+][0-9A-Za-z.-]+)?")
URL = re.compile(r"https?://[^\s/]+\.[^\s]+", re.I)
UNSAFE_PATH = re.compile(r"^(?:/|[A-Za-z]:|file:)|(?:^|/)\.\.(?:/|$)")


class Records:
    """Fed with every record; says nothing unless most of them have the layout."""

    def __init__(self):
        self.seen = self.like = self.conforming = self.sourced = self.generated = self.unlabelled = 0
        self.errors: Counter = Counter()
        self.places: dict[str, list[str]] = {}
        self.ids: set = set()
        self.media: Counter = Counter()
        self.newest = ""

    def add(self, item, place) -> None:
        self.seen += 1
        if not isinstance(item, dict) or len(item.keys() & set(FIELDS)) < 7:
            return
        self.like += 1
        wrong = sorted(set(self._wrong(item)))
        self.conforming += not wrong
        for name in wrong:
            self.errors[name] += 1
            if len(self.places.setdefault(name, [])) < 5:
                self.places[name].append(str(place))
        source, details = item.get("source"), item.get("source_details")
        self.sourced += bool(isinstance(source, str) and source.strip() and isinstance(details, str) and details.strip())
        self.generated += item.get("generated_data_indicator") in (1, True, "1")
        self.unlabelled += item.get("annotation") in (None, {}, [])

    def _wrong(self, item: dict):
        for name in FIELDS:
            if name not in item or (item[name] in (None, "", [], {}) and name not in NULLABLE):
                yield name
        key = item.get("id")
        if key is not None and (not isinstance(key, str) or key in self.ids):
            yield "id"
        elif len(self.ids) < limits.STATISTIC_ROWS:
            self.ids.add(key)
        if item.get("rid") is not None and not isinstance(item["rid"], list):
            yield "rid"
        if not self._content(item.get("data_content")):
            yield "data_content"
        if item.get("annotation") is not None and not isinstance(item["annotation"], dict):
            yield "annotation"
        original, modified = _day(item.get("original_time")), _day(item.get("last_modified_time"))
        if original is None:
            yield "original_time"
        if modified is None or (original and modified < original):
            yield "last_modified_time"
        if modified:
            self.newest = max(self.newest, modified.isoformat())
        if not isinstance(item.get("version"), str) or not VERSION.fullmatch(item["version"].strip()):
            yield "version"
        if item.get("source") == "互联网" and not URL.match(str(item.get("source_details") or "")):
            yield "source_details"
        if item.get("generated_data_indicator") not in (0, 1):
            yield "generated_data_indicator"

    def _content(self, value) -> bool:
        if not isinstance(value, list) or not value:
            return False
        good = True
        for part in value:
            kind = part.get("media_type") if isinstance(part, dict) else None
            content = part.get("content") if isinstance(part, dict) else None
            good &= kind in MEDIA and isinstance(content, str) and bool(content.strip())
            if kind in MEDIA:
                self.media[kind] += 1
                good &= kind == "text" or not UNSAFE_PATH.search(str(content))
        return good

    @property
    def holds(self) -> bool:
        return self.like >= 0.5 * self.seen and self.like > 0

    def result(self) -> dict:
        return {
            "records": self.seen,
            "like": self.like,
            "conforming": self.conforming,
            "errors": dict(sorted(self.errors.items())),
            "newest": self.newest,
            "sourced": self.sourced,
            "generated": self.generated,
            "unlabelled": self.unlabelled,
            "media": dict(sorted(self.media.items())),
        }

    def findings(self) -> list[dict]:
        return [
            finding("0201", "record_field", "warning", f"第 {'、'.join(self.places[name])} 行", f"{number} 条记录的 {name} 不合 TC609 记录格式。")
            for name, number in sorted(self.errors.items())
        ]


def _day(value) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(str(value)[:10])
    except ValueError:
        return None


def flattened(item: dict) -> dict:
    """The record with its text and its labels as columns of their own, for what looks at texts and labels."""
    parts = item.get("data_content")
    parts = [part for part in parts if isinstance(part, dict) and part.get("media_type") == "text"] if isinstance(parts, list) else []
    texts = [part["content"] for part in parts if isinstance(part.get("content"), str)]
    note = item.get("annotation")
    label = note.get("label") if isinstance(note, dict) else None
    if isinstance(label, list):
        label = label[0] if len(label) == 1 else None
    return {"data_content.text": "\n".join(texts) or None, "annotation.label": label if isinstance(label, (str, int)) else None}
