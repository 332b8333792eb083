"""Numbers, sizes and dates as people here write them: 11.6 万, 960 PB, 2026-11-21 14:05. Pure functions."""

import datetime

from django.utils import timezone
from django.utils.translation import get_language

UNITS = ("B", "KB", "MB", "GB", "TB", "PB", "EB")
CHINESE_STEPS = ((10**8, " 亿"), (10**4, " 万"))
ENGLISH_STEPS = ((10**9, "B"), (10**6, "M"), (10**3, "K"))


def significant(value: float) -> str:
    """About three digits, without idle zeros: 6.42, 48.3, 118."""
    digits = 2 if value < 9.995 else 1 if value < 99.95 else 0
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def size_text(size: int | None) -> str:
    """Bytes in decimal units (1 GB = 10^9 bytes); "" when unknown."""
    if size is None:
        return ""
    value, unit = float(size), 0
    while value >= 999.5 and unit < len(UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{significant(value)} {UNITS[unit]}"


def count_text(number: int | None) -> str:
    """1,234 below ten thousand, then 11.6 万 and 1.2 亿; in English 116K, 1.2M. "" when unknown."""
    if number is None:
        return ""
    english = is_english()
    if not english and number < 10_000:
        return f"{number:,}"
    if english and number < 100_000:
        return f"{number:,}"
    for step, unit in ENGLISH_STEPS if english else CHINESE_STEPS:
        if number >= step:
            return f"{significant(number / step)}{unit}"
    return f"{number:,}"


def time_text(moment: datetime.datetime | None) -> str:
    """Local time to the minute: 2026-11-21 14:05."""
    return timezone.localtime(moment).strftime("%Y-%m-%d %H:%M") if moment else ""


def date_text(value: datetime.date | datetime.datetime | None) -> str:
    if isinstance(value, datetime.datetime):
        value = timezone.localtime(value).date()
    return value.isoformat() if value else ""


def in_a_row(values) -> str:
    """Words one after the other, as Chinese writes them; in English with commas. Empty ones are left out."""
    return (", " if is_english() else "、").join(str(value) for value in values or [] if value)


def is_english() -> bool:
    return (get_language() or "").startswith("en")
