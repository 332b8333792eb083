"""Who rates: a random choice that anybody can repeat from the recorded seed, after the exclusions, each with its reason."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field

RATERS = 3
IN_A_ROW = 2  # the same pair may meet in so many rounds one after the other
SHARE = 5  # at most one in so many of a rater's works may come from one provider


@dataclass(frozen=True)
class Candidate:
    """What of an expert decides. `recent` holds the raters met in each of the last rounds, the newest first."""

    key: str
    organization: int | None
    interests: frozenset = frozenset()
    sectors: frozenset = frozenset()  # empty: every sector
    is_valid: bool = True
    works: int = 0
    works_of_provider: int = 0
    recent: tuple = ()


@dataclass
class Choice:
    chosen: list[str] = field(default_factory=list)
    excluded: dict[str, str] = field(default_factory=dict)  # {key: reason}


def choose(candidates: Iterable[Candidate], *, provider: int, sectors: Iterable[str], seed: int, wanted: int = RATERS, taken=()) -> Choice:
    """`taken` are the keys of those who rate already: they keep their place, and pairs are counted with them.

    Candidates are taken in the order of sha256("seed:key"), so neither their number nor their order in the register matters."""
    choice, together = Choice(), list(taken)
    for one in sorted(candidates, key=lambda one: order(seed, one.key)):
        if one.key in together:
            continue
        reason = excluded(one, provider, frozenset(sectors)) or ("pair" if any(_too_often(one, key) for key in together) else "")
        if reason:
            choice.excluded[one.key] = reason
        elif len(choice.chosen) < wanted:
            choice.chosen.append(one.key)
            together.append(one.key)
    return choice


def order(seed: int, key: str) -> str:
    return hashlib.sha256(f"{seed}:{key}".encode()).hexdigest()


def excluded(one: Candidate, provider: int, sectors: frozenset) -> str:
    """ "" or why this expert may not rate for this provider."""
    if not one.is_valid:
        return "invalid"
    if one.organization == provider:
        return "organization"
    if provider in one.interests:
        return "interest"
    if one.sectors and sectors and not one.sectors & sectors:
        return "scope"
    if one.works_of_provider + 1 > max(1, (one.works + 1) // SHARE):
        return "share"
    return ""


def _too_often(one: Candidate, other: str) -> bool:
    recent = one.recent[:IN_A_ROW]
    return len(recent) == IN_A_ROW and all(other in met for met in recent)
