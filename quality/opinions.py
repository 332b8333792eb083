"""What people and papers say about a dataset, as plain values: the part of a score that no program measures."""

from dataclasses import dataclass, field

SOURCES = ("expert", "user", "evidence")


@dataclass(frozen=True)
class Opinion:
    """One source's value for one indicator, aggregated by who collected it: 0–100, of `n` persons (expert), verified recipients
    (user) or verified pieces of evidence.

    `detail` goes into the report as it is, so it holds what may be published: strings, integers, lists. Keys read by the scoring:
    "experts" (int, how many experts; `n` otherwise), "full" (True: an accredited organisation on the full data, level L3).
    """

    source: str
    indicator: str
    value: float
    n: int
    interval: tuple[float, float] | None = None
    detail: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Ruling:
    """A person's decision about a veto rule: V1 confirmed or dismissed, V4 confirmed, V8 confirmed.

    `message` says what was found and by whom it was decided, in words that may be published.
    """

    rule: str
    state: str  # confirmed, dismissed
    message: str = ""


@dataclass(frozen=True)
class Inputs:
    """All that reaches a run from people: opinions, rulings, and how the sample was chosen."""

    opinions: tuple[Opinion, ...] = ()
    rulings: tuple[Ruling, ...] = ()
    is_sample_drawn: bool = False  # by the portal from a locked manifest; else 自选样本
