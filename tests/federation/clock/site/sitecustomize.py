"""time.time() off by the seconds that the file TESTS_CLOCK holds; read again once a second. Loaded only where PYTHONPATH names this folder."""

import os
import time

_file, _time, _state = os.environ.get("TESTS_CLOCK", ""), time.time, [0.0, 0.0]


def _off() -> float:
    now = time.monotonic()
    if now - _state[0] > 1:
        _state[0] = now
        try:
            with open(_file) as file:
                _state[1] = float(file.read() or 0)
        except (OSError, ValueError):
            _state[1] = 0.0
    return _state[1]


if _file:
    time.time = lambda: _time() + _off()
