"""Users' ratings: whose count, and the mean that a few cannot move far."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

LEAST = 10  # ratings of verified recipients, before they count
PSEUDO_VOTES = 10  # at the sector's mean
BURST = timedelta(hours=1)
BURST_SIZE = 5  # ratings within an hour: the later ones of such a burst do not count
NEUTRAL = 3.0


@dataclass(frozen=True)
class Rating:
    user: int
    organizations: frozenset  # of the user
    delivery: str  # the verified download or grant, "" for none
    stars: int
    at: datetime


def counted(ratings: Sequence[Rating], provider: int) -> list[Rating]:
    """One of each verified delivery and user (the newest), none of the provider's own people, one per organisation in an hour,
    and of a burst only the first five."""
    newest: dict[tuple, Rating] = {}
    for one in sorted(ratings, key=lambda one: one.at):
        if one.delivery and provider not in one.organizations:
            newest[one.user] = one
    kept: list[Rating] = []
    deliveries = set()
    for one in sorted(newest.values(), key=lambda one: one.at):
        near = [other for other in kept if one.at - other.at < BURST]
        same = any(other.organizations & one.organizations for other in near)
        if one.delivery not in deliveries and not same and len(near) < BURST_SIZE:
            deliveries.add(one.delivery)
            kept.append(one)
    return kept


def bayesian(stars: Sequence[int], sector_mean: float | None) -> float:
    """Mean of 1–5 with ten pseudo-votes at the sector's mean (3 where none is known)."""
    prior = NEUTRAL if sector_mean is None else sector_mean
    return (sum(stars) + PSEUDO_VOTES * prior) / (len(stars) + PSEUDO_VOTES)


def points(mean: float) -> float:
    """1–5 as 0–100."""
    return round((mean - 1) * 25, 2)
