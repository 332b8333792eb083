"""Words and secrets worth a person's look: a small seed list by category, and keys that never belong into data.

A hit is no violation (a dataset about fraud names fraud); it is counted by category, shown with its place, and a person
confirms. An operator's own lists (`PORTAL_WORDLISTS`, a folder of JSON files of the same shape) stay out of the repository.
"""

import json
import os
import re
from collections import Counter
from functools import lru_cache
from pathlib import Path

SEED = Path(__file__).with_name("wordlists.json")
SECRETS = {
    "aws_key": re.compile(r"(?<![0-9A-Za-z])(?:AKIA|ASIA)[0-9A-Z]{16}(?![0-9A-Za-z])"),
    "aliyun_key": re.compile(r"(?<![0-9A-Za-z])LTAI[0-9A-Za-z]{12,24}(?![0-9A-Za-z])"),
    "tencent_key": re.compile(r"(?<![0-9A-Za-z])AKID[0-9A-Za-z]{13,40}(?![0-9A-Za-z])"),
    "private_key": re.compile(r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----"),
    "github_token": re.compile(r"(?<![0-9A-Za-z])gh[pousr]_[0-9A-Za-z]{36,}"),
    "api_key": re.compile(r"(?<![0-9A-Za-z])sk-[0-9A-Za-z_-]{20,}"),
    "jwt": re.compile(r"(?<![0-9A-Za-z])eyJ[0-9A-Za-z_-]{10,}\.eyJ[0-9A-Za-z_-]{10,}\.[0-9A-Za-z_-]{10,}"),
    "password": re.compile(r"(?i)(?:password|passwd|pwd|secret|口令|密码)[\"']?\s*[:=：]\s*[\"']?(?=[^\s\"',;]*[0-9])[^\s\"',;]{6,64}"),
    "connection": re.compile(r"(?i)(?:mysql|postgres(?:ql)?|mongodb|redis)://[^\s:@/]{1,64}:[^\s@/]{1,64}@"),
}
SECRET_ANCHORS = "AKIA ASIA LTAI AKID -----BEGIN ghp_ gho_ ghu_ ghs_ ghr_ sk- eyJ password passwd pwd secret 口令 密码 ://".split()
SEVERITY = {"secret": "high"}


@lru_cache(maxsize=1)
def categories() -> dict[str, dict]:
    """{category: {"label", "severity", "words"}}, the seed and the operator's lists together."""
    found = json.loads(SEED.read_text(encoding="utf-8"))["categories"]
    folder = os.environ.get("PORTAL_WORDLISTS", "")
    for path in sorted(Path(folder).glob("*.json")) if folder else []:
        for name, more in json.loads(path.read_text(encoding="utf-8"))["categories"].items():
            kept = found.setdefault(name, {"label": more.get("label", name), "severity": more.get("severity", "medium"), "words": []})
            kept["words"] = sorted({*kept["words"], *(str(word) for word in more["words"] if len(str(word)) > 1)})
    return found


@lru_cache(maxsize=1)
def owners() -> dict[str, str]:
    return {word.lower(): name for name, item in categories().items() for word in item["words"]}


@lru_cache(maxsize=1)
def anchors() -> list[str]:
    """What a cell must contain before it is looked at."""
    return [*owners(), *SECRET_ANCHORS]


@lru_cache(maxsize=1)
def _pattern():
    return re.compile("|".join(sorted(map(re.escape, owners()), key=len, reverse=True)), re.I)


class Hits:
    """Counts by category with masked examples; secrets show their first three characters only."""

    def __init__(self):
        self.cells: Counter = Counter()
        self.words: dict[str, Counter] = {}
        self.examples: dict[str, list] = {}

    def scan(self, text: str, number: int, column: str, place) -> None:
        found = {}
        for match in _pattern().finditer(text):
            name = owners()[match.group().lower()]
            self.words.setdefault(name, Counter())[match.group().lower()] += number
            found.setdefault(name, match)
        for pattern in SECRETS.values():
            if match := pattern.search(text):
                found.setdefault("secret", match)
        for name, match in found.items():
            self.cells[name] += number
            kept = self.examples.setdefault(name, [])
            if len(kept) < 5:
                kept.append({"place": f"{column} @{place}", "text": _context(text, match, name)})

    def summary(self, column: str) -> list[dict]:
        return [
            {"column": column[:200], "category": name, "label": "密钥与口令" if name == "secret" else categories()[name]["label"],
             "severity": SEVERITY.get(name) or categories()[name]["severity"], "cells": count, "examples": self.examples[name]}
            for name, count in sorted(self.cells.items())
        ]  # fmt: skip


def _context(text: str, match, name: str) -> str:
    from quality.profiling import privacy

    if name == "secret":
        return match.group()[:3] + "***"
    start = max(0, match.start() - 12)
    return privacy.masked(text[start : match.end() + 12].replace("\n", " "))
