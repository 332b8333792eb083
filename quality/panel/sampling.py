"""The draw, as published: whoever has the locked manifest and the seed draws the same items.

1. An item's rank is sha256("<seed>:<path>") in hexadecimal, path as UTF-8.
2. Simple draw: the n items of the lowest ranks.
3. Stratified draw: each stratum gets its share of n by largest remainders (ties by name), at least `least` or all it has;
   within a stratum the items of the lowest ranks.
4. Items are asked for in the order of their paths.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence

ALGORITHM = "sha256-rank/1"


def rank(seed: int, path: str) -> str:
    return hashlib.sha256(f"{seed}:{path}".encode()).hexdigest()


def draw(paths: Sequence[str], n: int, seed: int) -> list[str]:
    return sorted(sorted(paths, key=lambda path: (rank(seed, path), path))[: max(0, n)])


def draw_by_stratum(strata: dict[str, str], n: int, seed: int, *, least: int = 1) -> list[str]:
    """`strata` is {path: stratum}. More than n are drawn where the least of every stratum asks for it."""
    members: dict[str, list[str]] = {}
    for path, stratum in strata.items():
        members.setdefault(stratum, []).append(path)
    sizes = allocate({name: len(paths) for name, paths in members.items()}, n, least)
    return sorted(path for name, paths in members.items() for path in draw(paths, sizes[name], seed))


def allocate(sizes: dict[str, int], n: int, least: int = 1) -> dict[str, int]:
    """Seats for each stratum: proportional by largest remainders, no more than it has, no fewer than `least` where it has so many."""
    total = sum(sizes.values())
    if not total:
        return dict.fromkeys(sizes, 0)
    n = min(n, total)
    exact = {name: n * size / total for name, size in sizes.items()}
    seats = {name: int(value) for name, value in exact.items()}
    left = n - sum(seats.values())
    for name in sorted(sizes, key=lambda name: (seats[name] - exact[name], name))[:left]:
        seats[name] += 1
    return {name: min(sizes[name], max(count, least)) for name, count in seats.items()}


def shares(values: Sequence[str]) -> dict[str, float]:
    counts = Counter(values)
    return {name: count / len(values) for name, count in counts.items()}


def distance(declared: dict[str, float], found: dict[str, float]) -> float:
    """Total variation distance ½ Σ |p − q|; both are scaled to sum to 1."""
    p, q = _scaled(declared), _scaled(found)
    return sum(abs(p.get(name, 0.0) - q.get(name, 0.0)) for name in p.keys() | q.keys()) / 2


def _scaled(parts: dict[str, float]) -> dict[str, float]:
    total = sum(parts.values())
    return {name: value / total for name, value in parts.items()} if total else {}
