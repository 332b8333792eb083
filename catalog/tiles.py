"""The tile map of the 34 provinces, and how values become five steps of one hue. Pure functions and positions."""

from collections.abc import Iterable

# GB/T 2260 code -> (character, column, row) on a grid of 8 by 8; one tile per province, position indicative.
TILES = {
    "230000": ("黑", 7, 0),
    "150000": ("蒙", 4, 1),
    "110000": ("京", 5, 1),
    "210000": ("辽", 6, 1),
    "220000": ("吉", 7, 1),
    "650000": ("新", 0, 2),
    "620000": ("甘", 1, 2),
    "640000": ("宁", 2, 2),
    "140000": ("晋", 3, 2),
    "130000": ("冀", 4, 2),
    "120000": ("津", 5, 2),
    "630000": ("青", 1, 3),
    "610000": ("陕", 2, 3),
    "410000": ("豫", 3, 3),
    "370000": ("鲁", 4, 3),
    "540000": ("藏", 0, 4),
    "510000": ("川", 1, 4),
    "500000": ("渝", 2, 4),
    "420000": ("鄂", 3, 4),
    "340000": ("皖", 4, 4),
    "320000": ("苏", 5, 4),
    "310000": ("沪", 6, 4),
    "530000": ("云", 1, 5),
    "520000": ("贵", 2, 5),
    "430000": ("湘", 3, 5),
    "360000": ("赣", 4, 5),
    "330000": ("浙", 5, 5),
    "450000": ("桂", 2, 6),
    "440000": ("粤", 3, 6),
    "350000": ("闽", 4, 6),
    "710000": ("台", 6, 6),
    "460000": ("琼", 2, 7),
    "820000": ("澳", 3, 7),
    "810000": ("港", 4, 7),
}
# GB/T 2260 letters (ISO 3166-2:CN), for readers of English
LATIN = {code: letters for letters, code in (pair.split(":") for pair in """
BJ:110000 TJ:120000 HE:130000 SX:140000 NM:150000 LN:210000 JL:220000 HL:230000 SH:310000 JS:320000 ZJ:330000 AH:340000
FJ:350000 JX:360000 SD:370000 HA:410000 HB:420000 HN:430000 GD:440000 GX:450000 HI:460000 CQ:500000 SC:510000 GZ:520000
YN:530000 XZ:540000 SN:610000 GS:620000 QH:630000 NX:640000 XJ:650000 TW:710000 HK:810000 MO:820000
""".split())}  # fmt: skip
STEPS = 5


def place(code: str, *, width: int, height: int, gap: int = 4) -> tuple[int, int]:
    """Upper left corner of a tile in the drawing."""
    _char, column, row = TILES[code]
    return column * (width + gap) + 1, row * (height + gap) + 1


def province_of(code: str) -> str:
    return code[:2] + "0000"


def quantile_limits(values: Iterable[float], steps: int = STEPS) -> list[float]:
    """Upper limit of each step, so that the steps hold about equally many of the positive values. Where one value is so
    frequent that it would fill several steps, equally many of the different values; fewer steps than asked for with fewer values."""
    ordered = sorted(value for value in values if value > 0)
    if not ordered:
        return []
    limits = _limits(ordered, steps)
    return limits if len(limits) == steps else _limits(sorted(set(ordered)), steps)


def _limits(ordered: list[float], steps: int) -> list[float]:
    return sorted({ordered[max(0, round(len(ordered) * step / steps) - 1)] for step in range(1, steps + 1)})


def step_of(value: float | None, limits: list[float]) -> int:
    """1 to 5, the darkest for the highest; 0 for nothing. With fewer limits the darker steps are used."""
    if not value or value <= 0 or not limits:
        return 0
    rank = next((number for number, limit in enumerate(limits, 1) if value <= limit), len(limits))
    return rank + (STEPS - len(limits)) if len(limits) < STEPS else rank
