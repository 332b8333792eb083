"""Exact binomial bounds (Clopper and Pearson) and the scoring curve; pure Python, the same digits everywhere."""

import math
from functools import lru_cache

LEVEL = 0.95


@lru_cache(maxsize=50_000)
def upper_bound(k: int, n: int, level: float = LEVEL) -> float:
    """One-sided exact upper bound of a rate after k defects in n draws; 1 when nothing was drawn."""
    if n <= 0 or k >= n:
        return 1.0
    if k <= 0:
        return 1.0 - (1.0 - level) ** (1.0 / n)
    low, high = k / n, 1.0
    width = 4.0 * math.sqrt(k + 4.0) / n + 4.0 / n
    if low + width < 1.0 and _at_most(k, n, low + width) < 1.0 - level:
        high = low + width
    for _step in range(48):
        middle = (low + high) / 2.0
        if _at_most(k, n, middle) > 1.0 - level:
            low = middle
        else:
            high = middle
        if high - low < 1e-12:
            break
    return high


def lower_bound(k: int, n: int, level: float = LEVEL) -> float:
    """One-sided exact lower bound of a rate after k successes in n draws."""
    return 0.0 if n <= 0 else 1.0 - upper_bound(n - k, n, level)


def _at_most(k: int, n: int, p: float) -> float:
    """P(X ≤ k) of a binomial: the regularised incomplete beta function I(1−p; n−k, k+1)."""
    return _beta(1.0 - p, n - k, k + 1)


def _beta(x: float, a: float, b: float) -> float:
    if x <= 0.0 or x >= 1.0:
        return 0.0 if x <= 0.0 else 1.0
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    if x < (a + 1.0) / (a + b + 2.0):
        return front * _fraction(x, a, b) / a
    return 1.0 - front * _fraction(1.0 - x, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    """The continued fraction of the incomplete beta function, by Lentz's method."""
    tiny = 1e-300
    c, d = 1.0, 1.0 - (a + b) * x / (a + 1.0)
    d = 1.0 / (d if abs(d) > tiny else tiny)
    h = d
    for m in range(1, 3000):
        for numerator in (
            m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0)),
        ):
            d = 1.0 + numerator * d
            d = 1.0 / (d if abs(d) > tiny else tiny)
            c = 1.0 + numerator / c
            c = c if abs(c) > tiny else tiny
            h *= c * d
        if abs(c * d - 1.0) < 1e-14:
            break
    return h


def declining(rate: float, good: float, bad: float) -> float:
    """100 up to `good`, 0 from `bad` on, linear between."""
    if rate <= good:
        return 100.0
    return 0.0 if rate >= bad else 100.0 * (bad - rate) / (bad - good)
