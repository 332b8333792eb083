"""Starts this project's own commands as real processes, in an environment of their own, and ends them."""

import atexit
import functools
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OWN = ("PORTAL_", "DATABASE_URL", "REDIS_URL", "ELASTICSEARCH_URL", "DJANGO_SETTINGS_MODULE")


def environment(folder: Path, port: int = 8000, **values: str) -> dict[str, str]:
    """A portal that is not in debug mode, embedded unless `values` name servers."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(OWN)}
    return (
        inherited
        | {
            "PORTAL_SECRET_KEY": "a-key-of-tests-that-is-long-enough-for-the-check-" + "x7Q" * 8,
            "PORTAL_BASE_URL": f"http://127.0.0.1:{port}",
            "PORTAL_DATA_DIR": str(folder),
            "PORTAL_WEB_WORKERS": "1",
            "PORTAL_LOG_LEVEL": "WARNING",
        }
        | values
    )


def manage(*words: str, env: dict[str, str], timeout: float = 120) -> subprocess.CompletedProcess:
    command = [sys.executable, str(ROOT / "manage.py"), *words]
    return subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL)


def migrated(folder: Path) -> None:
    """Give a portal its SQLite database with every table in place: a copy, since migrating takes seconds each time."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(_template(), folder / "portal.sqlite3")


@functools.cache
def _template() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="jimu-tables-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    done = manage("migrate", "--verbosity", "0", env=environment(folder), timeout=300)
    assert done.returncode == 0, done.stderr
    return folder / "portal.sqlite3"


def start(*command: str, env: dict[str, str], log: Path) -> subprocess.Popen:
    with log.open("ab") as file:
        return subprocess.Popen([sys.executable, *command], env=env, cwd=ROOT, stdout=file, stderr=file, start_new_session=True)


def end(process: subprocess.Popen | None) -> None:
    """Kill a process and what it started (`start` gave it a session of its own)."""
    if process and process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def free_ports(count: int = 1) -> list[int]:
    """Ports next to each other that nothing listens on now."""
    for first in range(20000 + os.getpid() % 9000, 60000, 7):
        try:
            for port in range(first, first + count):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
            return list(range(first, first + count))
        except OSError:
            continue
    raise RuntimeError("no free port")


def wait_until(question, seconds: float = 60, step: float = 0.1):
    """The first true answer of `question()`; AssertionError when there is none in time."""
    end = time.monotonic() + seconds
    while not (answer := question()):
        assert time.monotonic() < end, f"not within {seconds} s: {getattr(question, '__name__', question)}"
        time.sleep(step)
    return answer


def processes_with(text: str) -> dict[int, str]:
    """pid -> command line of every live process whose environment or command holds the text (Linux)."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if text in command or text in (entry / "environ").read_bytes().decode(errors="replace"):
                if command:  # a zombie has none
                    found[int(entry.name)] = command
        except OSError:
            continue
    return found
