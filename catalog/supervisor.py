"""Keeps child processes running: restarts one that ended, stops all on SIGTERM or SIGINT, leaves no orphan behind."""

import ctypes
import logging
import os
import signal
import subprocess  # nosec B404  # starts this project's own commands
import time
from dataclasses import dataclass, field

logger = logging.getLogger(__name__)
PR_SET_PDEATHSIG = 1
FIRST_WAIT, LONGEST_WAIT, SETTLED = 1.0, 30.0, 60.0  # seconds; a child that ran SETTLED starts afresh


@dataclass
class Child:
    """One command. It leads a process group of its own, so that a signal reaches all it started and a terminal's Ctrl-C only us."""

    name: str
    command: list[str]
    environment: dict[str, str] | None = None
    output: object = None  # a file for both streams; None: ours
    process: subprocess.Popen | None = None
    started: float = 0.0
    wait: float = FIRST_WAIT
    due: float = field(default=0.0)

    def start(self) -> None:
        self.process = subprocess.Popen(  # nosec B603  # a list, no shell
            self.command, env=self.environment, start_new_session=True, preexec_fn=end_with_parent, stdout=self.output, stderr=self.output
        )
        self.started = time.monotonic()

    def ended(self) -> int | None:
        return self.process.poll() if self.process else None

    def signal(self, number: int) -> None:
        """To the whole group, also when its leader is gone already."""
        try:
            os.killpg(self.process.pid, number)
        except (ProcessLookupError, PermissionError):
            pass

    def group_alive(self) -> bool:
        self.process.poll()  # a zombie leader would count as alive
        try:
            os.killpg(self.process.pid, 0)
        except (ProcessLookupError, PermissionError):
            return False
        return True


def end_with_parent() -> None:
    """Linux: the child gets SIGTERM when the supervisor dies without a word (kill -9)."""
    try:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    except (OSError, AttributeError):
        pass  # another system: an orphan is then possible after kill -9 only


class Supervisor:
    def __init__(self, children: list[Child], *, grace: float = 8.0):
        self.children, self.grace, self.stopping = children, grace, False

    def run(self) -> None:
        """Until a signal asks to stop; call from the main thread."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self.ask_stop)
        try:
            self.start()
            while not self.stopping:
                self.look_after()
                time.sleep(0.2)
        finally:
            self.stop()

    def ask_stop(self, *_):
        self.stopping = True

    def start(self) -> None:
        for child in self.children:
            if not self.stopping:
                child.start()

    def look_after(self) -> None:
        now = time.monotonic()
        for child in self.children:
            if child.due:
                if now >= child.due:
                    child.due = 0.0
                    child.start()
            elif (code := child.ended()) is not None:
                child.signal(signal.SIGKILL)  # what it left of its group would hold the port
                if now - child.started > SETTLED:
                    child.wait = FIRST_WAIT
                logger.error("%s ended with code %s; starting it again in %.0f s", child.name, code, child.wait)
                child.due, child.wait = now + child.wait, min(child.wait * 2, LONGEST_WAIT)

    def stop(self) -> None:
        """SIGTERM to all groups, SIGKILL to what is left after the grace."""
        running = [child for child in self.children if child.process]
        for child in running:
            child.signal(signal.SIGTERM)
        end = time.monotonic() + self.grace
        while time.monotonic() < end and any(child.group_alive() for child in running):
            time.sleep(0.05)
        for child in running:
            if child.group_alive():
                logger.warning("%s did not stop within %.0f s and was killed", child.name, self.grace)
                child.signal(signal.SIGKILL)
            child.process.wait()
