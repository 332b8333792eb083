"""Personal information in text: candidates by pattern, verified by checksum, decided per column.

Numbers glued to Han text count: the boundary is an ASCII letter or digit, not a word. A column of order numbers passes
the checksum by chance (about one in eleven), real identity numbers nearly always: half of a column's candidates must hold.
"""

import datetime
import re
from dataclasses import dataclass, field

PROVINCES = set("11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81 82 83".split())
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # ISO 7064 MOD 11-2, GB 11643
USCC_CHARS = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # GB 32100
ID_CARD = re.compile(r"(?<![0-9A-Za-z])(?<![0-9]\.)(?<![0-9]\.)[1-9][0-9]{16}[0-9Xx](?![0-9A-Za-z])")
MOBILE = re.compile(r"(?<![0-9A-Za-z])(?<![0-9]\.)(?:\+?86[- ]?)?(1[3-9][0-9][- ]?[0-9]{4}[- ]?[0-9]{4})(?![0-9A-Za-z])")
CARD = re.compile(r"(?<![0-9A-Za-z])(?<![0-9]\.)(?:[0-9]{16,19}|[0-9]{4}(?: [0-9]{4}){3}(?: [0-9]{1,3})?)(?![0-9A-Za-z])")
USCC = re.compile(r"(?<![0-9A-Za-z])[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}(?![0-9A-Za-z])")
EMAIL = re.compile(r"(?<![0-9A-Za-z._%+-])[0-9A-Za-z._%+-]{1,64}@[0-9A-Za-z-]{1,63}(?:\.[0-9A-Za-z-]{2,24}){1,4}(?![0-9A-Za-z])")
ELEVEN = re.compile(r"(?<![0-9A-Za-z])(?<![0-9]\.)[0-9]{11}(?![0-9A-Za-z])")
DECIMAL = r"^[+-]?[0-9]*\.[0-9]+([eE][+-]?[0-9]+)?$"  # a measurement, whatever digits it has
PREFILTER = r"@|[0-9]{11}|[0-9]{3}[- ][0-9]{4}|[0-9]{8}[0-9A-Z]{10}"
BINS = ("62", "4", "51", "52", "53", "54", "55", "34", "37", "35", "60", "9")
SEVERITY = {"id_card": "high", "bank_card": "high", "mobile": "medium", "email": "low", "credit_code": "low"}
DISTINCT_FOR_REAL = 5
VALIDITY_FOR_REAL = 0.5


def is_id_card(text: str) -> bool:
    if len(text) != 18 or not text[:17].isdigit() or text[:2] not in PROVINCES or not _is_birthday(text[6:14]):
        return False
    return "10X98765432"[sum(w * int(c) for w, c in zip(WEIGHTS, text, strict=False)) % 11] == text[17].upper()


def _is_birthday(text: str) -> bool:
    try:
        born = datetime.date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return False
    return 1900 <= born.year <= 2100


def is_bank_card(text: str) -> bool:
    digits = text.replace(" ", "")
    if not (digits.isdigit() and 16 <= len(digits) <= 19 and digits.startswith(BINS)) or len(set(digits)) < 3:
        return False
    total = 0
    for position, char in enumerate(reversed(digits)):
        number = int(char) * (1 + position % 2)
        total += number - 9 if number > 9 else number
    return total % 10 == 0


def is_credit_code(text: str) -> bool:
    if len(text) != 18 or any(char not in USCC_CHARS for char in text):
        return False
    total = sum(USCC_CHARS.index(char) * pow(3, position, 31) for position, char in enumerate(text[:17]))
    return USCC_CHARS[(31 - total % 31) % 31] == text[17]


def mask(text: str) -> str:
    return text[:3] + "*" * max(3, len(text) - 5) + text[-2:] if len(text) > 5 else "*" * len(text)


def find(text: str):
    """(kind, text, verified) of every candidate. A number verified as one kind is no candidate of another."""
    taken = []
    for match in ID_CARD.finditer(text):
        value = match.group()
        if is_id_card(value):
            taken.append(match.span())
            yield "id_card", value, True
        elif value[:2] in PROVINCES and _is_birthday(value[6:14]):
            yield "id_card", value, False
    for match in USCC.finditer(text):
        if _free(match.span(), taken) and not match.group().isdigit() and is_credit_code(match.group()):
            taken.append(match.span())
            yield "credit_code", match.group(), True
    for match in CARD.finditer(text):
        if _free(match.span(), taken):
            yield "bank_card", match.group(), is_bank_card(match.group())
    for match in MOBILE.finditer(text):
        yield "mobile", match.group(1), True
    for match in ELEVEN.finditer(text):
        if not re.match("1[3-9]", match.group()):
            yield "mobile", match.group(), False
    for match in EMAIL.finditer(text):
        yield "email", match.group(), True


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

    def add(self, value: str, is_verified: bool, place: str) -> None:
        self.candidates += 1
        if not is_verified:
            return
        self.verified += 1
        if len(self.distinct) < 10_000 and value not in self.distinct:
            self.distinct.add(value)
            if len(self.examples) < 20:
                self.examples.append({"place": place, "text": mask(value)})

    @property
    def is_real(self) -> bool:
        return self.verified > 0 and self.verified >= VALIDITY_FOR_REAL * self.candidates

    def is_high_risk(self, kind: str) -> bool:
        return SEVERITY[kind] == "high" and self.is_real and len(self.distinct) >= DISTINCT_FOR_REAL
