"""One file that holds a portal: database, sample files, and a manifest that says what must come out of it again.

The private keys lie in the database, encrypted under PORTAL_SECRET_KEY; the manifest names that setting by a fingerprint, so that a
restore under another one is refused before anything is written. Restoring starts new histories of all feeds: peers then stop, delete
nothing, and offer what they hold (services/custody.py).
"""

import hashlib
import hmac
import json
import os
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
from contextlib import closing
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from catalog.services import audit
from federation.models import Checkpoint, Peer
from federation.services import acks, custody

MANIFEST, SQLITE, POSTGRES, FILES = "manifest.json", "database.sqlite3", "database.dump", "files"
LEFT_OUT = {"queue", "build"}  # of the data folder: what a restored portal makes anew


class BackupError(Exception):
    """Why a backup or restore stopped; nothing was changed."""


def secret_fingerprint() -> str:
    return hmac.new(settings.SECRET_KEY.encode(), b"jimu backup", hashlib.sha256).hexdigest()[:32]


def backup(target: Path) -> dict:
    """Write a new file, readable by its owner only; its manifest. The database is one moment of it, while the portal goes on."""
    if target.exists():
        raise BackupError(f"{target} exists already")
    part = target.with_name(target.name + ".part")
    with tempfile.TemporaryDirectory(prefix="jimu-backup-", dir=target.parent) as folder:
        root = acks.audit_root()  # entries that come later are in the dump as well: the chain must hold this one
        database = _dump(Path(folder))
        members = [(database.name, database), *sorted((f"{FILES}/{path.relative_to(settings.MEDIA_ROOT)}", path) for path in _files())]
        described = [{"name": name, "size": path.stat().st_size, "sha256": _sha256(path)} for name, path in members]
        manifest = {"portal": settings.PORTAL_ID, "created": timezone.now().isoformat(timespec="seconds"), "database": connection.vendor}
        manifest |= {"audit": root, "secret": secret_fingerprint(), "files": described}
        manifest_path = Path(folder) / MANIFEST
        manifest_path.write_text(json.dumps(manifest, ensure_ascii=False, indent=1))
        try:
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream, tarfile.open(fileobj=stream, mode="w") as tar:
                for name, path in [(MANIFEST, manifest_path), *members]:
                    tar.add(path, arcname=name, recursive=False)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(part, target)
        finally:
            part.unlink(missing_ok=True)
    return manifest


def _files():
    folder = Path(settings.MEDIA_ROOT)
    return [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()] if folder.is_dir() else []


def _dump(folder: Path) -> Path:
    if connection.vendor == "sqlite":
        target = folder / SQLITE
        connection.ensure_connection()
        with closing(sqlite3.connect(target)) as copy:
            connection.connection.backup(copy)
        return target
    target = folder / POSTGRES
    _run(["pg_dump", "--format=custom", "--no-owner", "--file", str(target)])
    return target


def _run(command: list[str]) -> None:
    """A program of PostgreSQL on the configured database; the password goes by the environment, never by the command line."""
    given = connection.settings_dict
    names = {"PGHOST": "HOST", "PGPORT": "PORT", "PGUSER": "USER", "PGPASSWORD": "PASSWORD", "PGDATABASE": "NAME"}
    environment = os.environ | {name: str(given[key]) for name, key in names.items() if given.get(key)}
    program = shutil.which(command[0])
    if program is None:
        raise BackupError(f"{command[0]} is not installed: it comes with the PostgreSQL client programs")
    done = subprocess.run([program, *command[1:]], env=environment, capture_output=True, text=True)
    if done.returncode:
        raise BackupError(f"{command[0]} failed: {done.stderr.strip()[:500]}")


def _sha256(path: Path) -> str:
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def restore(source: Path) -> dict:
    """Put a backup into an empty portal; its manifest. BackupError before anything is written when the portal is not empty, the file is
    damaged, or it belongs to another portal or PORTAL_SECRET_KEY; and after it when the audit chain does not hold."""
    _require_empty()
    with tempfile.TemporaryDirectory(prefix="jimu-restore-", dir=settings.PORTAL_DATA_DIR) as name:
        folder = Path(name)
        manifest = _unpack(source, folder)
        _load(folder, manifest["database"])
        if (folder / FILES).is_dir():
            shutil.copytree(folder / FILES, settings.MEDIA_ROOT, dirs_exist_ok=True)
    call_command("migrate", interactive=False, verbosity=0)
    _check_audit(manifest["audit"])
    _begin_anew(manifest)
    return manifest


def _require_empty() -> None:
    if any(path.name not in LEFT_OUT for path in Path(settings.PORTAL_DATA_DIR).iterdir()):
        raise BackupError(f"{settings.PORTAL_DATA_DIR} is not empty: a restore goes into an empty data folder")
    if connection.vendor == "postgresql" and connection.introspection.table_names():
        raise BackupError(f"the database {connection.settings_dict['NAME']} has tables: a restore goes into an empty database")


def _unpack(source: Path, folder: Path) -> dict:
    try:
        with tarfile.open(source) as tar:
            tar.extractall(folder, filter="data")
        manifest = json.loads((folder / MANIFEST).read_text())
        files = manifest["files"]
    except (OSError, tarfile.TarError, ValueError, KeyError) as error:
        raise BackupError(f"{source} is no backup: {error}") from error
    for key, ours in (("portal", settings.PORTAL_ID), ("database", connection.vendor), ("secret", secret_fingerprint())):
        if manifest.get(key) != ours:
            raise BackupError(
                f"the backup is of another {'PORTAL_SECRET_KEY' if key == 'secret' else key}: {str(manifest.get(key))[:40]}, here {ours}"
            )
    named = {item["name"] for item in files} | {MANIFEST}
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    if named != found:
        raise BackupError(f"the backup is damaged: {sorted(named ^ found)[0]} is missing or not named")
    for item in files:
        if _sha256(folder / item["name"]) != item["sha256"]:
            raise BackupError(f"the backup is damaged: {item['name']} is not what the manifest names")
    return manifest


def _load(folder: Path, vendor: str) -> None:
    if vendor == "sqlite":
        connection.close()
        target = Path(connection.settings_dict["NAME"])
        shutil.copyfile(folder / SQLITE, target)
        for suffix in ("-wal", "-shm"):
            target.with_name(target.name + suffix).unlink(missing_ok=True)
        return
    connection.close()
    _run(
        ["pg_restore", "--no-owner", "--exit-on-error", "--single-transaction", "--dbname", connection.settings_dict["NAME"], str(folder / POSTGRES)]
    )


def _check_audit(root: dict) -> None:
    count, problem = audit.verify()
    result = acks.compare_root({"portal": settings.PORTAL_ID} | root)
    if problem or result not in acks.HOLDS:
        raise BackupError(f"the audit chain of the backup does not hold: {problem or result} ({count} entries read)")


@transaction.atomic
def _begin_anew(manifest: dict) -> None:
    """No worker of the time of the backup holds anything; feeds have new names; everybody is asked soon."""
    Checkpoint.objects.update(fencing_token=None, lease_until=None, acknowledged="")
    Peer.objects.update(next_due=timezone.now(), claimed_at=None, not_before=None, failures=0)
    feeds = custody.new_epoch()
    audit.append("federation.restored", ("catalog.Portal", settings.PORTAL_ID), backup_of=manifest["created"], feeds=feeds)
