"""The demonstration's three portals: who they are and their environments."""

import json
import os
import secrets
import string
import sys
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

MANAGE = [sys.executable, str(settings.BASE_DIR / "manage.py")]
# A portal of the demonstration never takes these from the shell it is started in: three portals cannot share one database.
NOT_INHERITED = ("PORTAL_", "DATABASE_URL", "REDIS_URL", "ELASTICSEARCH_URL", "DJANGO_SETTINGS_MODULE")


@dataclass(frozen=True)
class DemoPortal:
    id: str
    role: str
    name: str
    short_name: str
    port: int
    folder: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def environment(self, password: str) -> dict[str, str]:
        """What `manage.py` needs to act as this portal; PORTAL_DEMO_* is for demo_content and the enrolment alone."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(NOT_INHERITED)}
        return inherited | {
            "PORTAL_ROLE": self.role,
            "PORTAL_ID": self.id,
            "PORTAL_NAME": self.name,
            "PORTAL_SHORT_NAME": self.short_name,
            "PORTAL_BASE_URL": self.url,
            "PORTAL_DATA_DIR": str(self.folder),
            "PORTAL_SECRET_KEY": kept_secret(self.folder / "secret_key", 64),
            "PORTAL_ALLOWED_PRIVATE_NETWORKS": "127.0.0.0/8",
            "PORTAL_EVALUATION_DELAY": os.environ.get("PORTAL_EVALUATION_DELAY", "0"),
            "PORTAL_WEB_WORKERS": os.environ.get("PORTAL_WEB_WORKERS", "1"),
            "PORTAL_LOG_LEVEL": os.environ.get("PORTAL_LOG_LEVEL", "WARNING"),
            "PORTAL_DEMO_PASSWORD": password,
            "OMP_NUM_THREADS": "1",  # three portals fill at the same time; a trial model that takes every core slows all of them
        }


def portals(port: int, folder: Path) -> list[DemoPortal]:
    return [
        DemoPortal("cn", "national", "国家门户", "国家", port, folder / "cn"),
        DemoPortal("cn-33", "local", "浙江门户", "浙江", port + 1, folder / "cn-33"),
        DemoPortal("ind-healthcare", "industry", "医疗卫生行业门户", "医卫", port + 2, folder / "ind-healthcare"),
    ]


def kept_secret(path: Path, length: int) -> str:
    """A random text that only this user can read; the same one every time."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        letters = string.ascii_letters + string.digits
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w") as file:
            file.write("".join(secrets.choice(letters) for _ in range(length)))
    return path.read_text()


def state(folder: Path) -> dict:
    """What the first start did: {"port": int, "done": [step, ...]}."""
    path = folder / "demo.json"
    return json.loads(path.read_text()) if path.exists() else {"port": 0, "done": []}


def keep_state(folder: Path, values: dict) -> None:
    draft = folder / "demo.json.part"
    draft.write_text(json.dumps(values))
    draft.replace(folder / "demo.json")
