"""The indicators that are measured today. A measure is a pure function of a Snapshot; the others are shown as 未测."""

from collections.abc import Callable
from dataclasses import dataclass, field

from quality.opinions import Inputs
from quality.statistics import LEVEL  # noqa: F401  the level every bound is taken at

CODES = "0101 0102 0103 0104 0201 0202 0203 0204 0205 0206 0207 0208 0301 0302 0303 0304 0305".split()
DIMENSIONS = {"01": "documentation", "02": "data_quality", "03": "model_application"}
MEASURES: dict[str, Callable] = {}
HINTED = frozenset({"0304"})  # a program gives a hint there, never a score


@dataclass(frozen=True)
class Snapshot:
    """All a measure may look at: the listing document, the profiles of its samples, how many versions there are."""

    document: dict
    profiles: tuple = ()
    versions: int = 0
    limits: dict = field(default_factory=dict)  # of the scheme, by indicator code
    inputs: Inputs = Inputs()  # of people: no measure looks at them, the grading does

    @property
    def tables(self) -> list[dict]:
        return [profile for profile in self.profiles if profile.get("readable") and profile.get("rows") is not None]


@dataclass(frozen=True)
class Measure:
    """Outcome of one indicator. `score` is 0–100 rounded to two decimals, None unless measured."""

    status: str  # measured, not_measured, not_applicable
    score: float | None = None
    value: dict = field(default_factory=dict)  # strings and integers only
    n: int | None = None
    low: float | None = None
    high: float | None = None
    source: str = ""
    rule: str = ""
    evidence: tuple = ()


NOT_MEASURED = Measure("not_measured")


def measures(code: str):
    def register(function):
        MEASURES[code] = function
        return function

    return register


def _registered() -> dict[str, Callable]:
    from quality.indicators import data_quality, documentation, labelling, model_application, safety  # noqa: F401  they register themselves

    return MEASURES


def is_automatic(code: str) -> bool:
    """Whether a program measures the indicator; the others wait for experts or evidence."""
    return code in _registered() and code not in HINTED


def measure_all(snapshot: Snapshot) -> dict[str, Measure]:
    _registered()
    return {code: MEASURES[code](snapshot) if code in MEASURES else NOT_MEASURED for code in CODES}
