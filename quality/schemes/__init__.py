"""What a scheme document has to hold, and what is wrong with one. Pure; the shipped schemes lie beside as JSON files."""

import datetime
import math
import re

from django.utils.translation import gettext as _

from catalog.exceptions import ListingInvalid
from quality.indicators.registry import CODES

KEYS = (
    "version", "title", "effective_from", "bands", "stars", "floors", "assurance", "confidence", "not_applicable_limit", "shares", "caps",
    "limits", "declared", "users", "profiles",
)  # fmt: skip
OPTIONAL = ("stars", "declared", "users", "limits")
VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,19}")
CODE = re.compile(r"[a-z][a-z0-9_-]{0,39}")
GRADES = "ABCD"
LEAST_CONFIDENCE = ("declared", "sample", "evidence", "expert", "full", "self_chosen_sample", "high", "low")


def require_valid(document) -> None:
    """ListingInvalid with every finding, each at its JSON pointer."""
    found = list(findings(document))
    if found:
        raise ListingInvalid(found)


def findings(document):
    if not isinstance(document, dict):
        yield _finding("", _("方案应是一个 JSON 对象。"))
        return
    missing = [key for key in KEYS if key not in OPTIONAL and key not in document]
    for key in missing:
        yield _finding(f"/{key}", _("缺少这一部分。"))
    if missing:
        return
    if not isinstance(document["version"], str) or not VERSION.fullmatch(document["version"]):
        yield _finding("/version", _("版本号用字母、数字、点和连字符，最多 20 个字符。"))
    if not isinstance(document["title"], str) or not 0 < len(document["title"]) <= 120:
        yield _finding("/title", _("名称不能空，最多 120 个字。"))
    try:
        datetime.date.fromisoformat(document["effective_from"])
    except (TypeError, ValueError):
        yield _finding("/effective_from", _("生效日期应写成 2026-01-31 的样子。"))
    for check in (_bands, _floors, _assurance, _confidence, _shares, _caps, _declared, _limits, _profiles):
        yield from check(document)


def _finding(pointer: str, message: str) -> dict:
    return {"pointer": pointer, "code": "invalid", "message": message}


def _number(value, low=0, high=100) -> bool:
    """Whole numbers alone: a scheme travels between portals as canonical JSON, which has no floats."""
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _bands(document):
    bands = document["bands"]
    if not isinstance(bands, list) or [row.get("grade") for row in bands if isinstance(row, dict)] != list(GRADES):
        yield _finding("/bands", _("等级应依次是 A、B、C、D。"))
        return
    bounds = [row.get("from") for row in bands]
    if not all(_number(bound) for bound in bounds) or bounds != sorted(bounds, reverse=True) or len(set(bounds)) < len(bounds) or bounds[-1] != 0:
        yield _finding("/bands", _("分数线应逐级降低，D 从 0 开始。"))


def _floors(document):
    floors = document["floors"]
    for letter in "AB":
        row = floors.get(letter) if isinstance(floors, dict) else None
        if not isinstance(row, dict) or not all(_number(row.get(name)) for name in ("dimension", "indicator")):
            yield _finding(f"/floors/{letter}", _("最低分应在 0 到 100 之间。"))


def _assurance(document):
    levels = document["assurance"]
    for code in ("L0", "L1", "L2", "L3"):
        row = levels.get(code) if isinstance(levels, dict) else None
        if not isinstance(row, dict) or row.get("cap") not in tuple(GRADES) or not isinstance(row.get("name"), str):
            yield _finding(f"/assurance/{code}", _("写明名称和最高等级。"))


def _confidence(document):
    values = document["confidence"]
    wrong = [name for name in LEAST_CONFIDENCE if not isinstance(values, dict) or not _number(values.get(name))]
    for name in wrong:
        yield _finding(f"/confidence/{name}", _("应是 0 到 100 的数。"))
    if not _number(document["not_applicable_limit"]):
        yield _finding("/not_applicable_limit", _("应是 0 到 100 的数。"))


def _shares(document):
    shares = document["shares"]
    for code in CODES:
        row = shares.get(code) if isinstance(shares, dict) else None
        if not isinstance(row, list) or len(row) != 3 or not all(_number(part) for part in row) or sum(row) != 100:
            yield _finding(f"/shares/{code}", _("自动、专家、用户三个份额之和应为 100。"))


def _caps(document):
    caps = document["caps"]
    for code in ("V1", "V2", "V3", "V4", "V5", "V6", "V7", "V8"):
        row = caps.get(code) if isinstance(caps, dict) else None
        if not isinstance(row, dict) or not isinstance(row.get("text"), str) or len(row["text"]) > 300:
            yield _finding(f"/caps/{code}", _("写明情形。"))
        elif code in ("V1", "V2", "V3", "V4", "V8") and row.get("grade") not in tuple(GRADES):
            yield _finding(f"/caps/{code}/grade", _("最高等级应是 A、B、C 或 D。"))
    if isinstance(caps, dict) and isinstance(caps.get("V5"), dict) and not _number(caps["V5"].get("months"), 1, 120):
        yield _finding("/caps/V5/months", _("有效期应在 1 到 120 个月之间。"))
    if isinstance(caps, dict) and isinstance(caps.get("V2"), dict) and not _number(caps["V2"].get("over_percent")):
        yield _finding("/caps/V2/over_percent", _("应是 0 到 100 的数。"))


def _declared(document):
    declared = document.get("declared", {})
    if not isinstance(declared, dict) or not all(code in CODES and _number(value) for code, value in declared.items()):
        yield _finding("/declared", _("声明的份额应是 0 到 100 的数。"))


def _limits(document):
    limits = document.get("limits", {})
    if not isinstance(limits, dict) or not all(code in CODES and isinstance(rule, dict) for code, rule in limits.items()):
        yield _finding("/limits", _("阈值应按指标编码列出。"))
        return
    for code, rule in limits.items():
        bad = rule.get("bad")
        if bad is not None and not (isinstance(bad, list) and len(bad) == 2 and _float(bad[0]) is not None and _float(bad[1]) is not None
                                    and 0 <= _float(bad[0]) < _float(bad[1]) <= 1):  # fmt: skip
            yield _finding(f"/limits/{code}/bad", _("满分线应低于零分线，都在 0 到 1 之间。"))
        parts = rule.get("parts")
        shares = [_float(value) for value in parts.values()] if isinstance(parts, dict) else []
        if parts is not None and not (shares and all(share is not None and share >= 0 for share in shares)):
            yield _finding(f"/limits/{code}/parts", _("各部分的份额应是不小于 0 的数。"))


def _float(value) -> float | None:
    """A finite number, written as one or as a string; None for anything else."""
    try:
        number = float(value) if isinstance(value, (str, int)) and not isinstance(value, bool) and str(value).isascii() else None
    except (ValueError, OverflowError):
        return None
    return number if number is not None and math.isfinite(number) else None


def _profiles(document):
    profiles = document["profiles"]
    if not isinstance(profiles, list) or not profiles or not all(isinstance(row, dict) for row in profiles):
        yield _finding("/profiles", _("至少要有一个权重方案。"))
        return
    codes = [row.get("code") for row in profiles]
    if len(set(map(str, codes))) < len(codes):
        yield _finding("/profiles", _("权重方案的编码重复。"))
    for number, row in enumerate(profiles):
        yield from _profile(f"/profiles/{number}", row)


def _profile(pointer: str, row: dict):
    if not isinstance(row.get("code"), str) or not CODE.fullmatch(row["code"]):
        yield _finding(f"{pointer}/code", _("编码用小写字母、数字和连字符，以字母开头。"))
    if not isinstance(row.get("name"), str) or not 0 < len(row["name"]) <= 80:
        yield _finding(f"{pointer}/name", _("名称不能空，最多 80 个字。"))
    applies = row.get("applies_to")
    if not isinstance(applies, dict) or not all(
        key in ("sectors", "model_stages") and isinstance(value, list) and all(isinstance(part, str) for part in value)
        for key, value in applies.items()
    ):
        yield _finding(f"{pointer}/applies_to", _("适用范围写行业领域或模型阶段的编码。"))
    weights = row.get("weights")
    if not isinstance(weights, dict) or not all(code in CODES and isinstance(value, int) and 0 <= value <= 100 for code, value in weights.items()):
        yield _finding(f"{pointer}/weights", _("权重应是 0 到 100 的整数。"))
        return
    if sum(weights.values()) != 100:
        yield _finding(f"{pointer}/weights", _("权重之和是 %(sum)d，应为 100。") % {"sum": sum(weights.values())})
    exempt = sum(1 for code in CODES if not weights.get(code))
    if exempt > 8:
        yield _finding(f"{pointer}/weights", _("权重为 0 的指标过多。"))
