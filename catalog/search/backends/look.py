"""Which rows hold what: expressions answered by the token index of the database and joined in memory."""

from collections.abc import Iterator, Sequence

import numpy as np

from catalog.search import explaining
from catalog.search.backends.matches import brought_on
from catalog.search.columns import Snapshot
from catalog.search.expressions import All, Any, Expression, every
from catalog.search.planning import Plan
from catalog.search.text import Piece

MOST_AT_ONCE = 100  # expressions in one query


class Look:
    """One look at a snapshot: which of its rows hold what. Implements planning.Probe."""

    def __init__(self, backend, snapshot: Snapshot):
        self.backend, self.snapshot = backend, snapshot
        self._positions: dict[Expression, np.ndarray] = {}
        self._masks: dict[Expression, np.ndarray] = {}

    def matched(self, plan: Plan) -> np.ndarray | None:
        return None if plan.match is None else self.mask(plan.match)

    def explained(self, plan: Plan, pks: list[int]) -> dict[int, dict]:
        places = dict(zip(pks, self.snapshot.positions(np.array(pks, np.int64)), strict=True))
        asked = explaining.conditions(plan)
        holds = {name: {pk for pk, place in places.items() if self.mask(expression)[place]} for name, expression in asked.items()}
        return explaining.explained(plan, pks, holds)

    def count(self) -> int:
        return len(self.snapshot)

    def counts(self, expressions: Sequence[Expression]) -> list[int]:
        self.fetch(expressions)
        return [int(np.count_nonzero(self.mask(expression))) for expression in expressions]

    def fetch(self, expressions: Sequence[Expression]) -> None:
        """What these take of the database, in one query."""
        wanted = [one for one in dict.fromkeys(part for whole in expressions for part in _asked(whole)) if one not in self._positions]
        snapshot, matches = self.snapshot, self.backend.matches
        kept = {one: held for one in wanted if (held := matches.get(one, snapshot)) is not None}
        for one, found in self._found([one for one in wanted if one not in kept]):
            self._positions[one] = snapshot.positions(found)
            matches.keep(one, snapshot, self._positions[one])
        since: dict[tuple[int, ...], list[Expression]] = {}
        for one, (positions, changed) in kept.items():
            self._positions[one] = positions
            if len(changed):
                since.setdefault((int(changed.min()), int(changed.max())), []).append(one)
        for stretch, behind in since.items():
            for one, found in self._found(behind, *stretch):
                self._positions[one] = brought_on(snapshot, *kept[one], found)
                matches.keep(one, snapshot, self._positions[one])

    def _found(self, wanted: list[Expression], *stretch: int) -> Iterator[tuple[Expression, np.ndarray]]:
        for start in range(0, len(wanted), MOST_AT_ONCE):
            asked = wanted[start : start + MOST_AT_ONCE]
            yield from zip(asked, map(_numbers, self.backend._match(asked, *stretch)), strict=True)

    def positions(self, expression: Expression) -> np.ndarray:
        """Of pieces, or of pieces joined by All."""
        self.fetch([expression])
        return self._positions[expression]

    def mask(self, expression: Expression) -> np.ndarray:
        found = self._masks.get(expression)
        if found is None:
            self.fetch([expression])
            found = self._masks[expression] = self._mask(expression)
        return found

    def _mask(self, expression: Expression) -> np.ndarray:
        if isinstance(expression, Any):
            return np.logical_or.reduce([self.mask(part) for part in expression.parts])
        if expression not in self._positions:
            return np.logical_and.reduce([self.mask(part) for part in _split(expression)])
        mask = np.zeros(len(self.snapshot), dtype=bool)
        mask[self._positions[expression]] = True
        return mask


def _split(whole: All) -> list[Expression]:
    """Its pieces as one part, which the database joins, and its groups."""
    alone = every(part for part in whole.parts if isinstance(part, Piece))
    return ([alone] if alone else []) + [part for part in whole.parts if not isinstance(part, Piece)]


def _asked(expression: Expression) -> Iterator[Expression]:
    """The parts that are asked of the database: pieces, alone or joined by All. Any is joined here."""
    if isinstance(expression, Piece) or (isinstance(expression, All) and all(isinstance(part, Piece) for part in expression.parts)):
        yield expression
        return
    for part in _split(expression) if isinstance(expression, All) else expression.parts:
        yield from _asked(part)


def _numbers(joined: str | None) -> np.ndarray:
    return np.fromstring(joined, dtype=np.int64, sep=",") if joined else np.zeros(0, np.int64)
