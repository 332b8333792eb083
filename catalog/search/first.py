"""The first rows of an order, without putting all the others in order too."""

from collections.abc import Callable, Sequence

import numpy as np

FEW = 4  # times as many rows as are wanted: fewer are simply sorted


def first(count: int, keys: Sequence[Callable[[np.ndarray], np.ndarray]], most: int) -> np.ndarray:
    """Of 0 … count - 1 the `most` that come first, in order. `keys`: values of the given ones, the weightiest key first, ascending.

    The last key tells any two apart. A lighter key is only asked for those that the heavier ones leave equal.
    """
    settled, open_ = np.zeros(0, np.int64), np.arange(count)
    if most and count > FEW * most:
        for key in keys:
            wanted, values = most - len(settled), key(open_)
            limit = np.partition(values, wanted - 1)[wanted - 1]
            settled = np.concatenate([settled, open_[values < limit]])
            open_ = open_[values == limit]
            if len(open_) <= max(wanted, FEW * (most - len(settled))):
                break
    chosen = np.concatenate([settled, open_])
    return chosen[np.lexsort([key(chosen) for key in reversed(keys)])][:most]
