"""Readers of single values: text, numbers, sizes, dates of many shapes, intervals. They answer None, never an exception."""

import datetime
import re
from email.utils import parsedate_to_datetime
from typing import Any

PREFERRED = ("zh-hans", "zh-cn", "zh", "zh-hant", "zh-tw", "en", "")
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
EMPTY_WORDS = {"", "null", "none", "n/a", "na", "nan", "undefined", "-", "--", "—", "无", "無", "[]", "{}"}
UNITS = {"": 1, "b": 1, "byte": 1, "bytes": 1, "字节": 1, "位元組": 1}
UNITS |= {f"{letter}{end}": 1024**power for power, letter in enumerate("kmgtp", 1) for end in ("", "b", "ib")}
SIZE = re.compile(r"(?i)^\s*([0-9][0-9,]*(?:\.[0-9]+)?)\s*([a-z字节位元組]*)\s*$")
COUNT = re.compile(r"^[约約大概~≈]*\s*([0-9][0-9,，\s]*)(\.[0-9]+)?\s*([万萬亿億kKmM]?)\+?\s*(?:余|餘|多)?\s*[条條笔筆行个個份件张張组組幅项項]?$")
SCALE = {"": 1, "万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8, "k": 1000, "m": 10**6}
CHINESE_DAY = re.compile(r"^(民[国國]|中华民国|中華民國)?\s*([0-9]{2,4})\s*年\s*(?:([0-9]{1,2})\s*月\s*(?:([0-9]{1,2})\s*[日号號]?)?)?")
NUMERIC_DAY = re.compile(r"^([0-9]{4})[-/.]([0-9]{1,2})(?:[-/.]([0-9]{1,2}))?(?:[T\s].*)?$", re.S)
ROC_DAY = re.compile(r"^([0-9]{2,3})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})(?:\s.*)?$", re.S)
COMPACT_DAY = re.compile(r"^((?:19|20)[0-9]{2})([0-9]{2})([0-9]{2})(?:T?[0-9]{4,6}Z?)?$")
WEST_DAY = re.compile(r"^([0-9]{1,2})[-/.]([0-9]{1,2})[-/.]([0-9]{4})(?:\s.*)?$", re.S)
MONTHS = {name: number for number, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}
WORD_DAY = re.compile(r"(?i)^(?:([0-9]{1,2})\s+)?([a-z]{3,9})\.?\s+(?:([0-9]{1,2})(?:st|nd|rd|th)?,?\s+)?([0-9]{4})$")
DURATION = re.compile(r"^P(?:([0-9]+)Y)?(?:([0-9]+)M)?(?:([0-9]+)W)?(?:([0-9]+)D)?(?:T.*)?$")
BETWEEN = re.compile(r"\s*(?:/|\bTO\b|\bto\b|~|～|至|—|–|\.\.)\s*|\s+-\s+")


def is_empty(value: Any) -> bool:
    return value is None or value == [] or value == {} or (isinstance(value, str) and value.strip().lower() in EMPTY_WORDS)


def clean(text: str) -> str:
    return UNPRINTABLE.sub("", text).strip()


def text(value: Any) -> str:
    """One text of a scalar, a language map, JSON-LD values or a list; the Chinese one where there are several."""
    if value is None or isinstance(value, bool):
        return ""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, int | float):
        return str(int(value)) if float(value).is_integer() else repr(value)
    if isinstance(value, dict):
        return _of_languages(value)
    if isinstance(value, list):
        tagged = {str(item.get("@language") or "").lower(): item for item in value if isinstance(item, dict) and "@value" in item}
        if tagged:
            return text(next((tagged[code] for code in PREFERRED if code in tagged), next(iter(tagged.values()))))
        return next((said for item in value if (said := text(item))), "")
    return clean(str(value))


def _of_languages(value: dict) -> str:
    for key in ("@value", "value", "#text", "name", "title", "label", "prefLabel", "rdfs:label", "foaf:name", "@id", "id", "url", "uri"):
        if key in value and not isinstance(value[key], dict):
            return text(value[key])
    if value and all(isinstance(key, str) and re.fullmatch(r"[A-Za-z]{2,3}([-_]\w+)?", key) for key in value):
        folded = {key.lower().replace("_", "-"): item for key, item in value.items()}
        ordered = [folded[code] for code in PREFERRED if code in folded] + list(folded.values())
        return next((said for item in ordered if (said := text(item))), "")
    return next((said for item in value.values() if isinstance(item, dict | str) and (said := text(item))), "")


def texts(value: Any) -> list[str]:
    """Several texts: of a list, or of one text with separators. Each once, in order."""
    if isinstance(value, str):
        found = [clean(part) for part in re.split(r"[;；、|\n]+|(?<![0-9]),|,(?![0-9])|，", value.strip("[] "))]
        found = [part.strip("\"' ") for part in found]
    elif isinstance(value, list):
        found = [text(item) for item in value]
    elif isinstance(value, dict):
        chosen = next((value[code] for code in ("zh", "zh-cn", "en") if isinstance(value.get(code), list)), None)
        return texts(chosen) if chosen else [part for part in [text(value)] if part]
    else:
        found = [text(value)]
    return list(dict.fromkeys(part for part in found if part.lower() not in EMPTY_WORDS))


def number(value: Any) -> int | None:
    """A count: "7,123", 12.0, "約1筆", "3.2万"."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return int(value) if 0 <= value <= 2**53 and float(value).is_integer() else None
    match = COUNT.match(text(value))
    if not match:
        return None
    whole = re.sub(r"[,，\s]", "", match[1]) + (match[2] or "")
    scaled = round(float(whole) * SCALE[match[3].lower()], 6)
    return int(scaled) if scaled.is_integer() and scaled <= 2**53 else None


def size(value: Any) -> int | None:
    """Bytes: 117743, "117743 B", "97.73 TiB"."""
    if isinstance(value, dict):
        value = value.get("@value") or value.get("value")
    if isinstance(value, bool) or value is None:
        return None
    match = SIZE.match(text(value))
    if not match or match[2].lower() not in UNITS:
        return None
    found = round(float(match[1].replace(",", "")) * UNITS[match[2].lower()])
    return found if found <= 2**53 else None


def day(value: Any, *, end: bool = False) -> str | None:
    """An ISO date. `end` reads a year or month as its last day. Years 1 to 200 with 民國 or three digits are ROC years."""
    if isinstance(value, dict):
        value = value.get("@value") or value.get("value") or value.get("date")
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float) and abs(value) > 10**8:
        return _of_epoch(value)
    said = text(value).strip("\"' ").lstrip("[")
    for read in (_numeric, _chinese, _compact, _western, _words, _bare_year):
        if parts := read(said):
            return _date(*parts, end=end)
    try:
        return parsedate_to_datetime(said).date().isoformat()
    except (TypeError, ValueError, IndexError):
        return None


def _of_epoch(value):
    seconds = value / 1000 if abs(value) > 10**11 else value
    try:
        return datetime.datetime.fromtimestamp(seconds, datetime.UTC).date().isoformat()
    except (OverflowError, OSError, ValueError):
        return None


def _numeric(said):
    if match := NUMERIC_DAY.match(said):
        return match[1], match[2], match[3]
    if (match := ROC_DAY.match(said)) and int(match[1]) <= 200:
        return int(match[1]) + 1911, match[2], match[3]
    return None


def _chinese(said):
    if match := CHINESE_DAY.match(said):
        year = int(match[2])
        return year + 1911 if match[1] or year < 200 else year, match[3], match[4]
    return None


def _compact(said):
    match = COMPACT_DAY.match(said)
    return match and (match[1], match[2], match[3])


def _western(said):
    if not (match := WEST_DAY.match(said)):
        return None
    first, second = int(match[1]), int(match[2])
    if first > 12 >= second:
        return match[3], second, first
    return (match[3], first, second) if second > 12 >= first or first == second else None  # 03/04/2020 may be either


def _words(said):
    match = WORD_DAY.match(said)
    if not match or match[2][:3].lower() not in MONTHS:
        return None
    return match[4], MONTHS[match[2][:3].lower()], match[1] or match[3]


def _bare_year(said):
    return (said, None, None) if re.fullmatch(r"(?:1[0-9]|20|21)[0-9]{2}", said) else None


def _date(year, month, number, *, end):
    try:
        if month and number:
            return datetime.date(int(year), int(month), int(number)).isoformat()
        if month:
            first = datetime.date(int(year), int(month), 1)
            return (_add_months(first, 1) - datetime.timedelta(days=1) if end else first).isoformat()
        return datetime.date(int(year), 12 if end else 1, 31 if end else 1).isoformat()
    except (ValueError, OverflowError):
        return None


def _add_months(date, months):
    total = date.year * 12 + date.month - 1 + months
    return date.replace(year=total // 12, month=total % 12 + 1, day=1)


def interval(value: Any) -> tuple[str | None, str | None]:
    """(start, end) of "2015-01-01/2015-12-31", "2015-01-01/P1Y", "[… TO …]", "2010-2015", "1月 至 3月", {"start", "end"}."""
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, dict):
        start = next((value[key] for key in ("start", "startDate", "start_date", "begin", "from", "@value") if value.get(key)), None)
        stop = next((value[key] for key in ("end", "endDate", "end_date", "to") if value.get(key)), None)
        return day(start), day(stop, end=True)
    said = text(value).strip("[]() ")
    if match := re.fullmatch(r"([12][0-9]{3})\s*-\s*([12][0-9]{3})", said):
        return day(match[1]), day(match[2], end=True)
    if day(said) and not re.search(r"[0-9]{4}.*(?:/|TO|至|~).*[0-9]{4}", said):
        return day(said), day(said, end=True)
    parts = BETWEEN.split(said)
    if len(parts) > 2:  # dates written with slashes
        halves = re.split(r"\s*(?:至|~|～|—|–|\bTO\b|\s-\s)\s*", said)
        parts = halves if len(halves) == 2 else parts
    if len(parts) != 2:
        return None, None
    start, stop = parts
    if duration := DURATION.match(stop):
        return day(start), _after(day(start), duration)
    if re.match(r"^R[0-9]*$", start):
        return None, None
    return day(start), day(stop, end=True)


def _after(start, duration):
    if not start:
        return None
    years, months, weeks, days = (int(part or 0) for part in duration.groups())
    first = datetime.date.fromisoformat(start)
    try:
        if years or months:
            number = first.day
            moved = _add_months(first, years * 12 + months)
            first = moved + datetime.timedelta(days=min(number, 28) - 1)
        return (first + datetime.timedelta(days=weeks * 7 + days - 1)).isoformat()
    except (ValueError, OverflowError):
        return None


def web_address(value: Any) -> str:
    """An http(s) or ftp address without blanks, or ""."""
    said = text(value)
    if re.match(r"(?i)^www\.[^\s/]+\.[a-z]{2,}", said):
        said = "http://" + said
    return said if re.match(r"(?i)^(https?|ftps?|s3|hdfs)://[^\s]+$", said) else ""


def email(value: Any) -> str:
    said = re.sub(r"(?i)^\s*mailto:", "", text(value)).strip()
    return said if re.fullmatch(r"[^@\s,;]+@[^@\s,;]+\.[^@\s,;]+", said) and len(said) <= 254 else ""
