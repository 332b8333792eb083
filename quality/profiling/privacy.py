"""Personal information in text: candidates by pattern, verified by checksum, decided per column.

Numbers glued to Han text count: the boundary is an ASCII letter or digit, not a word. A column of order numbers passes
the checksum by chance (about one in eleven), real identity numbers nearly always: half of a column's candidates must hold.
Kinds without a checksum need their shape to be telling (a plate) or a word beside them (a passport).
"""

import re
from dataclasses import dataclass, field

from quality.profiling.identifiers import (
    PROVINCES,
    WEIGHTS,  # noqa: F401  for who builds numbers
    is_bank_card,
    is_birthday,
    is_credit_code,
    is_id_card,
    is_imei,
    is_position,
    is_vin,
)

START, END = r"(?<![0-9A-Za-z])(?<![0-9]\.)", r"(?![0-9A-Za-z])"
ID_CARD = re.compile(START + r"[1-9][0-9]{16}[0-9Xx]" + END)
MOBILE = re.compile(START + r"(?:\+?86[- ]?)?(1[3-9][0-9][- ]?[0-9]{4}[- ]?[0-9]{4})" + END)
CARD = re.compile(START + r"(?:[0-9]{16,19}|[0-9]{4}(?:[ -][0-9]{4}){3}(?:[ -][0-9]{1,3})?)" + END)
USCC = re.compile(START + r"[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}" + END)
EMAIL = re.compile(r"(?<![0-9A-Za-z._%+-])[0-9A-Za-z._%+-]{1,64}@[0-9A-Za-z-]{1,63}(?:\.[0-9A-Za-z-]{2,24}){1,4}(?![0-9A-Za-z])")
ELEVEN = re.compile(START + r"[0-9]{11}" + END)
PASSPORT = re.compile(START + r"(?:[EeGg][0-9]{8}|[EeGg][A-HJ-NP-Za-hj-np-z][0-9]{7}|[DdSsPpHh][0-9]{7,8}|1[45][0-9]{7})" + END)
PLATE_AREA = "[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-HJ-NP-Z][·• ]?"
PLATE_NEW_ENERGY, PLATE_USUAL = "[DF][0-9A-HJ-NP-Z][0-9]{4}|[0-9]{5}[DF]", "(?=[0-9A-HJ-NP-Z]*[0-9])[0-9A-HJ-NP-Z]{4}[0-9A-HJ-NP-Z挂学警港澳]"
PLATE = re.compile(f"{PLATE_AREA}(?:{PLATE_NEW_ENERGY}|{PLATE_USUAL})(?![0-9A-Za-z])")
MILITARY = re.compile(r"[军兵士文职广海空沈兰济南成北后装]字?第[0-9]{6,8}号")
VIN = re.compile(START + r"[A-HJ-NPR-Z0-9]{17}" + END)
IMEI = re.compile(START + r"[0-9]{15}" + END)
MAC = re.compile(r"(?<![0-9A-Fa-f:-])[0-9A-Fa-f]{2}([:-])[0-9A-Fa-f]{2}(?:\1[0-9A-Fa-f]{2}){4}(?![0-9A-Fa-f:-])")
POSITION = re.compile(r"(?<![0-9.])(-?[0-9]{1,2}\.[0-9]{4,})\s?[,，]\s?(-?[0-9]{1,3}\.[0-9]{4,})(?![0-9])")
DECIMAL = r"^[+-]?[0-9]*\.[0-9]+([eE][+-]?[0-9]+)?$"  # a measurement, whatever digits it has
PREFILTER = (
    r"@|[0-9]{11}|[0-9]{3}[- ][0-9]{4}|[0-9]{8}[0-9A-Z]{10}|[A-HJ-NPR-Z0-9]{17}|护照|[Pp]assport|[EG][A-Z]?[0-9]{7}"
    r"|\p{Han}[A-HJ-NP-Z][·• ]?[0-9A-HJ-NP-Z]{5}|字第|[0-9A-Fa-f]{2}[:-][0-9A-Fa-f]{2}[:-]|\.[0-9]{4,}\s?[,，]"
)
TITLES = {
    "id_card": "身份证号码", "bank_card": "银行卡号", "mobile": "手机号码", "email": "电子邮箱",
    "credit_code": "统一社会信用代码", "passport": "护照号码",
    "plate": "车牌号码", "military_id": "军官证号码", "vin": "车辆识别代号", "imei": "手机设备识别码", "mac": "网卡地址", "position": "经纬度坐标",
}  # fmt: skip
SEVERITY = {
    "id_card": "high", "bank_card": "high", "mobile": "medium", "email": "low", "credit_code": "none", "passport": "medium",
    "plate": "medium", "military_id": "medium", "vin": "low", "imei": "low", "mac": "low", "position": "low",
}  # fmt: skip
DISTINCT_FOR_REAL = 5
VALIDITY_FOR_REAL = 0.5
KEPT_DISTINCT = 50_000


def mask(text: str) -> str:
    return text[:3] + "*" * max(3, len(text) - 5) + text[-2:] if len(text) > 5 else "*" * len(text)


def find(text: str, column: str = ""):
    """(kind, text, verified) of every candidate. A number verified as one kind is no candidate of another."""
    taken: list[tuple[int, int]] = []
    yield from _numbers(text, taken)
    yield from _codes(text, taken, column)
    for match in EMAIL.finditer(text):
        yield "email", match.group(), True


def _numbers(text: str, taken: list):
    for match in ID_CARD.finditer(text):
        value = match.group()
        if is_id_card(value):
            taken.append(match.span())
            yield "id_card", value, True
        elif value[:2] in PROVINCES and is_birthday(value[6:14]):
            yield "id_card", value, False
    for match in USCC.finditer(text):
        if _free(match.span(), taken) and not match.group().isdigit() and is_credit_code(match.group()):
            taken.append(match.span())
            yield "credit_code", match.group(), True
    for match in CARD.finditer(text):
        if _free(match.span(), taken):
            verified = is_bank_card(match.group())
            if verified:
                taken.append(match.span())
            yield "bank_card", match.group(), verified
    for match in MOBILE.finditer(text):
        if _free(match.span(1), taken):
            taken.append(match.span(1))
            yield "mobile", match.group(1), True
    for match in ELEVEN.finditer(text):
        if not re.match("1[3-9]", match.group()):
            yield "mobile", match.group(), False


def _codes(text: str, taken: list, column: str):
    for match in VIN.finditer(text):
        if _free(match.span(), taken) and not match.group().isdigit() and not match.group().isalpha():
            yield "vin", match.group(), is_vin(match.group())
    if _named(text, column, "护照", "passport"):
        for match in PASSPORT.finditer(text):
            if _free(match.span(), taken):
                yield "passport", match.group(), True
    if _named(text, column, "imei", "设备识别", "串号"):
        for match in IMEI.finditer(text):
            yield "imei", match.group(), is_imei(match.group())
    for kind, pattern in (("plate", PLATE), ("military_id", MILITARY), ("mac", MAC)):
        for match in pattern.finditer(text):
            yield kind, match.group(), True
    for match in POSITION.finditer(text):
        yield "position", match.group(), is_position(*match.groups())


def _named(text: str, column: str, *words: str) -> bool:
    place = f"{column} {text}".lower()
    return any(word in place for word in words)


def _free(span, taken) -> bool:
    return all(span[1] <= start or span[0] >= end for start, end in taken)


def masked(text: str) -> str:
    """The text with verified personal numbers and addresses masked."""
    if len(text) < 6:
        return text
    for kind, value, verified in find(text):
        if verified and kind != "credit_code":
            text = text.replace(value, mask(value))
    return text


@dataclass
class Tally:
    """What one column holds of one kind."""

    candidates: int = 0
    verified: int = 0
    distinct: set = field(default_factory=set)
    examples: list = field(default_factory=list)

    def add(self, value: str, is_verified: bool, place: str, number: int = 1) -> None:
        self.candidates += number
        if not is_verified:
            return
        self.verified += number
        if len(self.distinct) < KEPT_DISTINCT and value not in self.distinct:
            self.distinct.add(value)
            if len(self.examples) < 20:
                self.examples.append({"place": place, "text": mask(value)})

    @property
    def is_real(self) -> bool:
        return self.verified > 0 and self.verified >= VALIDITY_FOR_REAL * self.candidates

    def is_high_risk(self, kind: str) -> bool:
        return SEVERITY[kind] == "high" and self.is_real and len(self.distinct) >= DISTINCT_FOR_REAL
