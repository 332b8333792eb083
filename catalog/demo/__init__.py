"""Content of the demonstration: every listing carries 示例.

`cited.py` holds what the source documents say of named bodies, in our own words and with the source cited; nothing is added
to it. `invented.py` holds made listings, which belong only to organisations that carry 示例 in their name; their samples are
generated and declared synthetic. Iris is the real data set of 150 rows (R. A. Fisher, 1936).
"""

from contextlib import contextmanager

_state = {"is_filling": False}


def is_filling() -> bool:
    """Whether this process is making the demonstration: a sample that it generated itself need not be read in a locked process."""
    return _state["is_filling"]


@contextmanager
def filling():
    _state["is_filling"] = True
    try:
        yield
    finally:
        _state["is_filling"] = False
