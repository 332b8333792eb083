"""How far a command is: a bar on a terminal, a line now and then elsewhere."""

import time

from django.utils.translation import gettext as _
from tqdm import tqdm

EVERY = 5  # seconds between lines where there is no terminal


class Progress:
    """Silent with `silent`. A context manager, so that the bar is closed whatever ends the work."""

    def __init__(self, stream, silent: bool = False):
        self.stream, self.silent, self.done, self.last = stream, silent, 0, time.monotonic()
        terminal = not silent and stream.isatty()
        self.bar = tqdm(unit=_("条"), file=stream, dynamic_ncols=True) if terminal else None

    def show(self, done: int, total: int | None = None) -> None:
        """`done` counts from the start of the command. A new stage that counts anew starts a new bar's worth of numbers."""
        if self.bar:
            self.bar.total = total
            if done < self.done:
                self.bar.reset(total)
                self.done = 0
            self.bar.update(done - self.done)
        elif not self.silent and time.monotonic() - self.last > EVERY:
            self.last = time.monotonic()
            text = _("已处理 %(count)d 条，共 %(total)d 条") if total else _("已处理 %(count)d 条")
            print(text % {"count": done, "total": total}, file=self.stream, flush=True)
        self.done = done

    def close(self) -> None:
        if self.bar:
            self.bar.close()

    def __enter__(self):
        return self

    def __exit__(self, *_details):
        self.close()
