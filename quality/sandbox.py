"""Profile a file in a process of its own: a hostile file can at worst end that process, never this one."""

import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from quality.profiling import limits

ROOT = Path(__file__).resolve().parent.parent
PASSED_ON = ("PATH", "LANG", "LC_ALL", "TMPDIR", "TZ", "SYSTEMROOT", "PORTAL_WORDLISTS")
ANSWER_BYTES = 64 * 1024 * 1024


class ProfileFailed(Exception):
    """The process ended without an answer; the text tells why. `final` where another try would end the same."""

    def __init__(self, reason: str, *, final: bool = False):
        super().__init__(reason)
        self.final = final


def profile_apart(path, name: str, *, progress=None, seconds: int = limits.SECONDS, memory: int = limits.MEMORY_BYTES) -> dict:
    """Like profile_file. `progress(done, total)` is called about every second; what it raises stops the work.

    Raises ProfileFailed when the process broke, took too long or needed too much memory.
    """
    environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    environment |= {"PYTHONPATH": str(ROOT), "POLARS_MAX_THREADS": "2", "OMP_NUM_THREADS": "1", "RAYON_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
                    "MALLOC_ARENA_MAX": "2", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0"}  # fmt: skip
    command = [sys.executable, "-m", "quality.worker", str(Path(path).resolve()), name, str(seconds), str(memory)]
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, env=environment, cwd=ROOT, start_new_session=True
        )  # fmt: skip
        try:
            answer = _listen(process, progress, time.monotonic() + seconds)
        finally:
            _end(process)
        if answer is not None and "profile" in answer:
            return answer["profile"]
        errors.seek(max(0, errors.seek(0, 2) - 4000))
        raise _failure(process.returncode, answer, errors.read().decode("utf-8", "replace"))


def profile_here(path, name: str, *, progress=None) -> dict:
    """The same answer without a process of its own: only for files that this program made itself."""
    from quality.profiling import profile_file

    return json.loads(json.dumps(profile_file(str(path), name=name), default=str))


def _listen(process, progress, deadline: float) -> dict | None:
    """The last message, or None when the process ended without one."""
    told, state, size = b"", {"done": 0, "total": None}, 0
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            if time.monotonic() > deadline:
                raise ProfileFailed("读取超过时间上限，已停止。", final=True)
            ready = selector.select(timeout=1.0)
            block = os.read(process.stdout.fileno(), 1 << 20) if ready else b""
            size += len(block)
            if size > ANSWER_BYTES:
                raise ProfileFailed("读取进程的回答过大。", final=True)
            told += block
            *whole, told = told.split(b"\n")
            for line in whole:
                message = json.loads(line)
                if "profile" in message or "failed" in message:
                    return message
                state |= {key: message[key] for key in ("done", "total") if key in message}
            if ready and not block:
                return None
            if progress and not ready or (whole and progress):
                progress(state["done"], state["total"])


def _end(process) -> None:
    try:
        process.wait(timeout=0 if process.poll() is not None else 2)
    except subprocess.TimeoutExpired:
        pass
    if process.poll() is None:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()
    process.stdout.close()


def _failure(code: int | None, answer: dict | None, errors: str) -> ProfileFailed:
    memory = ("MemoryError", "memory allocation", "Cannot allocate", "out of memory", "bad_alloc", "failed to spawn thread")
    if (answer or {}).get("failed") == "memory" or any(word in errors for word in memory):
        return ProfileFailed("读取需要的内存超过上限，已停止。", final=True)
    if code in (-signal.SIGXCPU, -signal.SIGKILL):
        return ProfileFailed("读取超过时间或内存上限，已停止。", final=True)
    last = errors.strip().splitlines()[-1][:200] if errors.strip() else ""
    return ProfileFailed(f"读取进程异常结束（{code}）。{last}".strip())
