"""One portal in one command: web server, task worker and clock as supervised children (embedded and small full profiles)."""

import fcntl
import logging
import os
import re
import socket
import sys
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection

from catalog.supervisor import Child, Supervisor

logger = logging.getLogger(__name__)
STATIC_UNUSED = ["redoc"]  # the API is shown by Swagger UI
THREADS = 8  # a web worker: a slow upload keeps one of them, the others answer


def refuse(sentence: str):
    raise CommandError(sentence, returncode=2)


class Command(BaseCommand):
    help = "Run this portal: web server, task worker and clock; Ctrl-C or SIGTERM stops all."
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("--bind", default="", metavar="HOST:PORT", help="default: 127.0.0.1 and the port of PORTAL_BASE_URL")

    def handle(self, *, bind, **options):
        host, port = address(bind)
        require_free(host, port)
        lock = only_one_here()
        prepare()
        self.stdout.write(f"{settings.PORTAL_NAME} ({settings.PORTAL_ID}): {settings.PORTAL_BASE_URL}")
        self.stdout.flush()
        Supervisor(children(host, port)).run()
        lock.close()


def address(bind: str) -> tuple[str, int]:
    if not bind:
        port = re.search(r":(\d+)$", settings.PORTAL_BASE_URL)
        return "127.0.0.1", int(port[1]) if port else 8000
    match = re.fullmatch(r"\[?([^\[\]]+?)\]?:(\d{1,5})", bind)
    if not match or not 0 < int(match[2]) < 65536:
        refuse(f"--bind {bind!r} is not HOST:PORT, such as 127.0.0.1:8000.")
    return match[1], int(match[2])


def require_free(host: str, port: int) -> None:
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(where)
    except OSError as error:
        refuse(f"{host}:{port} cannot be used: {error.strerror}. Stop what listens there, or choose another address with --bind.")


def only_one_here():
    """The open lock file: two portals on one data folder would take each other's messages and files."""
    folder = Path(settings.PORTAL_DATA_DIR)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        settings.MEDIA_ROOT.mkdir(exist_ok=True)
        lock = open(folder / "serve.lock", "w")
    except OSError as error:
        refuse(f"PORTAL_DATA_DIR={str(folder)!r} cannot be written: {error.strerror}.")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        refuse(f"Another portal already runs on PORTAL_DATA_DIR={str(folder)!r}.")
    return lock


def prepare() -> None:
    """Schema, vocabularies and static files as this version needs them; all of it is quick when nothing changed."""
    try:
        call_command("migrate", interactive=False, verbosity=0)
        call_command("load_vocabularies", stdout=open(os.devnull, "w"))
    except OperationalError as error:
        refuse(f"The database does not answer: {str(error).splitlines()[0]}.")
    finally:
        connection.close()  # children open their own
    collect_static()


def collect_static() -> None:
    """Collect when the manifest is missing or older than a source; DEBUG serves the sources themselves."""
    if settings.DEBUG:
        return
    manifest = Path(settings.STATIC_ROOT) / "staticfiles.json"
    made = manifest.stat().st_mtime if manifest.exists() else 0.0
    if made and all(os.path.getmtime(storage.path(name)) <= made for finder in finders.get_finders() for name, storage in finder.list([])):
        return
    try:
        call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns=STATIC_UNUSED)
    except OSError as error:
        refuse(f"PORTAL_STATIC_ROOT={str(settings.STATIC_ROOT)!r} cannot be written: {error.strerror}.")


def children(host: str, port: int) -> list[Child]:
    python = [sys.executable, "-m"]
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": os.environ["DJANGO_SETTINGS_MODULE"], "PYTHONUNBUFFERED": "1"}
    environment.setdefault("PYTHONWARNINGS", "ignore:You're running the worker")
    celery = [*python, "celery", "--quiet", "--app", "config", "--workdir", str(settings.BASE_DIR)]
    beat_file = settings.PORTAL_DATA_DIR / "beat-schedule"
    web = [*python, "granian", "config.wsgi:application", "--interface", "wsgi", "--http", "1", "--no-ws"]
    web += ["--host", host, "--port", str(port), "--working-dir", str(settings.BASE_DIR), "--log-level", "error"]
    web += ["--workers", str(settings.PORTAL_WEB_WORKERS), "--blocking-threads", str(THREADS)]
    web += ["--respawn-failed-workers", "--workers-kill-timeout", "5"]
    worker = [*celery, "worker", "--pool", "threads", "--concurrency", str(settings.PORTAL_TASK_WORKERS), "--loglevel", "WARNING"]
    worker += ["--without-gossip", "--without-mingle", "--without-heartbeat", "--hostname", f"{settings.PORTAL_ID}@%h"]
    beat = [*celery, "beat", "--schedule", str(beat_file), "--pidfile", "", "--loglevel", "WARNING"]
    return [Child("web server", web, environment), Child("task worker", worker, environment), Child("clock", beat, environment)]
