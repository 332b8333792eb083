"""`python -m quality.worker PATH NAME`: one profile in a locked process, told on standard output as JSON lines.

{"done": n, "total": n} while it works, then {"profile": {…}} or {"failed": reason}. It has no database, no settings, no secrets.
"""

import json
import sys
import time

from django.conf import settings

INTERVAL = 0.5  # seconds between two words about progress


def main(path: str, name: str, seconds: str, memory: str) -> int:
    settings.configure(USE_I18N=False)
    from quality.profiling import lockdown

    granted = lockdown.lock(int(seconds), int(memory))
    from quality.profiling import profile_file

    last = [0.0]

    def tell(done: int, total: int) -> None:
        if time.monotonic() - last[0] > INTERVAL:
            last[0] = time.monotonic()
            say({"done": done, "total": total})

    say({"locks": granted})
    try:
        say({"profile": profile_file(path, name=name, progress=tell)})
    except MemoryError:
        say({"failed": "memory"})
        return 1
    return 0


def say(message: dict) -> None:
    sys.stdout.buffer.write(json.dumps(message, default=str, ensure_ascii=False).encode("utf-8", "replace") + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:5]))
