"""Real portals as processes for the journeys: `manage.py serve` with a database and a port each, no mocks."""

import os
import secrets
import socket
import subprocess
import sys
import time
from pathlib import Path

import requests

from tests.processes import migrated

ROOT = Path(__file__).resolve().parent.parent.parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class PortalProcess:
    """One portal with empty tables: its settings, its commands, its server. `start` loads the vocabularies and waits until it answers."""

    def __init__(self, portal_id: str, role: str, name: str, short_name: str, folder: Path, **extra: str):
        self.id, self.port = portal_id, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.folder = folder / portal_id
        migrated(self.folder)
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PORTAL_", "DATABASE_URL", "REDIS_URL", "ELASTIC"))}
        self.environment = inherited | {
            "PORTAL_ROLE": role,
            "PORTAL_ID": portal_id,
            "PORTAL_NAME": name,
            "PORTAL_SHORT_NAME": short_name,
            "PORTAL_BASE_URL": self.url,
            "PORTAL_DATA_DIR": str(self.folder),
            "PORTAL_SECRET_KEY": secrets.token_urlsafe(50),
            "PORTAL_EVALUATION_DELAY": "0",
            "PORTAL_ALLOWED_PRIVATE_NETWORKS": "127.0.0.0/8",
            **extra,
        }
        self.server: subprocess.Popen | None = None

    def manage(self, *arguments: str) -> str:
        """Output of one management command; AssertionError with its errors when it fails."""
        done = subprocess.run([sys.executable, "manage.py", *arguments], cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=180)
        assert done.returncode == 0, f"{self.id}: manage.py {' '.join(arguments)}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def start(self, *, timeout: float = 90) -> None:
        log = (self.folder / "serve.log").open("ab")
        self.server = subprocess.Popen(
            [sys.executable, "manage.py", "serve", "--bind", f"127.0.0.1:{self.port}"], cwd=ROOT, env=self.environment, stdout=log, stderr=log
        )
        limit = time.monotonic() + timeout
        while time.monotonic() < limit:
            assert self.server.poll() is None, (self.folder / "serve.log").read_text()[-3000:]
            try:
                if requests.get(f"{self.url}/healthz", timeout=2).ok:
                    return
            except requests.RequestException:
                time.sleep(0.2)
        raise AssertionError(f"{self.id} did not answer within {timeout} s:\n{(self.folder / 'serve.log').read_text()[-3000:]}")

    def stop(self) -> None:
        if self.server and self.server.poll() is None:
            self.server.terminate()
            self.server.wait(timeout=20)


def join(national: PortalProcess, local: PortalProcess, *, name: str, trusted: bool = True) -> None:
    """Enrol a local portal at the national one, as two administrators would."""
    code = national.manage("portal", "invite", local.id, "--name", name).strip()
    local.manage("portal", "enrol", national.url, "--code", code)
    national.manage("portal", "accept", local.id, *(["--trusted"] if trusted else []))
