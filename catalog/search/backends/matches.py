"""What the token index answered of late, kept for the snapshot it was asked at and brought on when rows were written since.

Popular words, the next page and another facet ask the same again; while an import runs only its own rows are asked anew.
"""

import threading
from collections import OrderedDict

import numpy as np

from catalog.search.columns import Snapshot
from catalog.search.expressions import Expression

MOST_BYTES = 32_000_000  # of positions, a process
MOST_CHANGED = 20_000  # rows; beyond, everything is asked anew
SPREAD = 4  # times as many keys as changed rows may lie in the stretch that is asked anew


class Matches:
    def __init__(self):
        self._held: OrderedDict[Expression, tuple[tuple[int, str], np.ndarray]] = OrderedDict()
        self._bytes, self._lock = 0, threading.Lock()

    def get(self, expression: Expression, snapshot: Snapshot) -> tuple[np.ndarray, np.ndarray] | None:
        """(positions, ids of rows written since they were found), or None when it must be asked anew."""
        with self._lock:
            held = self._held.get(expression)
            if held is None:
                return None
            self._held.move_to_end(expression)
        at, positions = held
        changed = snapshot.changed_since(*at)
        if changed is None or len(changed) > MOST_CHANGED:
            return None
        if len(changed) and changed.max() - changed.min() > SPREAD * len(changed) + 1000:
            return None
        return positions, changed

    def keep(self, expression: Expression, snapshot: Snapshot, positions: np.ndarray) -> None:
        with self._lock:
            before = self._held.pop(expression, None)
            self._bytes += positions.nbytes - (before[1].nbytes if before else 0)
            self._held[expression] = ((snapshot.version, snapshot.stamp), positions)
            while self._bytes > MOST_BYTES and self._held:
                _expression, (_at, dropped) = self._held.popitem(last=False)
                self._bytes -= dropped.nbytes


def brought_on(snapshot: Snapshot, positions: np.ndarray, changed: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Positions with those of the changed rows as they are now; `found` are ids that match within their stretch."""
    mask = np.zeros(len(snapshot), dtype=bool)
    mask[positions] = True
    mask[snapshot.positions(changed)] = False
    mask[snapshot.positions(found)] = True
    return np.flatnonzero(mask).astype(np.int32)
