"""Which runs are checked again: a weighted draw that anybody can repeat, and what counts as a deviation."""

import hashlib
import math
from collections.abc import Sequence
from statistics import mean, pstdev

SHARE, LEAST = 0.05, 3
WEIGHT_A = 3.0  # a run that led to an A is drawn three times as often
Z = 2.0
DEVIATION = 10.0


def wanted(runs: int, z: float | None) -> int:
    """5 % of a body's runs of the quarter, at least three; twice as many where its mean residual stands out."""
    size = max(LEAST, math.ceil(runs * SHARE))
    return min(runs, size * 2 if z is not None and abs(z) > Z else size)


def draw(weights: dict[str, float], n: int, seed: int) -> list[str]:
    """n keys without replacement (Efraimidis and Spirakis): the largest u^(1/w), u from sha256("seed:key")."""
    return sorted(weights, key=lambda key: (-math.log(uniform(seed, key)) / weights[key], key))[:n]


def uniform(seed: int, key: str) -> float:
    """In (0, 1)."""
    return (int(hashlib.sha256(f"{seed}:{key}".encode()).hexdigest()[:13], 16) + 0.5) / 16**13


def z_of(own: Sequence[float], pool: Sequence[float]) -> float | None:
    """How far the mean residual (experts − automatic) of a body stands from that of all, in standard errors; None in a pool of under 10."""
    spread = pstdev(pool) if len(pool) >= 10 else 0.0
    return (mean(own) - mean(pool)) / (spread / math.sqrt(len(own))) if own and spread else None


def total(values: dict[str, float], weights: dict[str, int], codes) -> float | None:
    """The experts' scores weighted by the profile, over `codes`."""
    known = {code: weights.get(code, 0) for code in codes if code in values}
    whole = sum(known.values())
    return round(sum(values[code] * weight for code, weight in known.items()) / whole, 2) if whole else None
