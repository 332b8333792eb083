"""Backup and restore of a real portal's database and files, in processes: what comes out is what went in, under new epochs."""

import json
import shutil
import sqlite3
import tarfile

import pytest
from django.core.management import CommandError, call_command

from federation.services import backup
from tests.journeys.portals import PortalProcess

FILL = """
from tests.factories import make_dataset
from django.utils import timezone
from federation.services import keys, outbox, sequencer
from pathlib import Path
from django.conf import settings
make_dataset(status="listed", home_portal="cn-33", listed_at=timezone.now(), title="示例：备份过的")
outbox.publish_all(); sequencer.number_all(); keys.current_key()
folder = Path(settings.MEDIA_ROOT) / "samples"; folder.mkdir(parents=True, exist_ok=True); (folder / "a.csv").write_text("a,b")
"""
LOOK = """
import json
from pathlib import Path
from django.conf import settings
from catalog.models import AuditEntry, Dataset
from federation.models import FeedState
from federation.services import keys
print(json.dumps([Dataset.objects.get().title, FeedState.objects.get(stream="listings").epoch, FeedState.objects.get(stream="listings").head,
    keys.own_signer().keyid, (Path(settings.MEDIA_ROOT) / "samples/a.csv").read_text(), AuditEntry.objects.latest("id").action]))
"""


def look(portal):
    return json.loads(portal.manage("shell", "-v0", "-c", LOOK).strip().splitlines()[-1])


def empty(folder, **extra):
    portal = PortalProcess("cn-33", "local", "浙江门户", "浙江", folder, **extra)
    shutil.rmtree(portal.folder)
    portal.folder.mkdir()
    return portal


@pytest.mark.processes
def test_a_restored_portal_is_as_it_was_under_new_epochs_and_only_into_an_empty_place(tmp_path):
    portal = PortalProcess("cn-33", "local", "浙江门户", "浙江", tmp_path)
    portal.manage("migrate", "-v0")
    portal.manage("shell", "-v0", "-c", FILL)
    before = look(portal)
    saved = tmp_path / "backup.tar"
    told = portal.manage("backup", str(saved))
    assert "audit root" in told and saved.stat().st_mode & 0o077 == 0
    with pytest.raises(AssertionError, match="exists"):
        portal.manage("backup", str(saved))

    other = empty(tmp_path / "other", PORTAL_SECRET_KEY=portal.environment["PORTAL_SECRET_KEY"])
    told = other.manage("restore", str(saved))
    after = look(other)

    assert "take-back" in told
    assert after[0] == before[0] and after[2:5] == before[2:5] and after[1] != before[1] and after[5] == "federation.restored"
    with pytest.raises(AssertionError, match="not empty"):
        other.manage("restore", str(saved))
    stranger = empty(tmp_path / "third", PORTAL_SECRET_KEY="x" * 50)
    with pytest.raises(AssertionError, match="PORTAL_SECRET_KEY"):
        stranger.manage("restore", str(saved))
    wrong = empty(tmp_path / "fourth", PORTAL_ID="cn-44", PORTAL_SECRET_KEY=portal.environment["PORTAL_SECRET_KEY"])
    with pytest.raises(AssertionError, match="another portal"):
        wrong.manage("restore", str(saved))


@pytest.fixture
def packed(tmp_path, settings):
    """A small backup of this test's own making, and an empty data folder to restore it into."""
    settings.PORTAL_DATA_DIR = tmp_path / "data"
    settings.PORTAL_DATA_DIR.mkdir()
    folder = tmp_path / "parts"
    folder.mkdir()
    sqlite3.connect(folder / backup.SQLITE).close()
    (folder / backup.SQLITE).write_bytes(b"not a database")
    described = [{"name": backup.SQLITE, "size": 14, "sha256": backup._sha256(folder / backup.SQLITE)}]
    manifest = {"portal": settings.PORTAL_ID, "database": "sqlite", "secret": backup.secret_fingerprint(), "files": described}

    def pack(manifest=manifest, more=()):
        (folder / backup.MANIFEST).write_text(json.dumps(manifest))
        target = tmp_path / f"{len(list(tmp_path.iterdir()))}.tar"
        with tarfile.open(target, "w") as tar:
            for name in (backup.MANIFEST, backup.SQLITE):
                tar.add(folder / name, arcname=name)
            for info in more:
                tar.addfile(info)
        return target

    return pack, manifest


def member(name, kind=tarfile.REGTYPE, link=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


@pytest.mark.django_db
def test_a_damaged_or_hostile_backup_stops_before_anything_is_written(packed, settings, monkeypatch, tmp_path):
    pack, manifest = packed
    monkeypatch.setattr(backup, "_require_empty", lambda: None)
    monkeypatch.setattr(backup.connection, "vendor", "sqlite")
    monkeypatch.setattr(backup, "_load", lambda *arguments: pytest.fail("loaded"))
    other_hash = [manifest["files"][0] | {"sha256": "0" * 64}]
    for source, reason in (
        (pack(manifest | {"files": other_hash}), "damaged"),
        (pack(manifest | {"files": []}), "damaged"),
        (pack(manifest | {"portal": "cn-99"}), "another portal"),
        (pack(manifest | {"database": "oracle"}), "another database"),
        (pack({}), "no backup"),
    ):
        with pytest.raises(CommandError, match=reason):
            call_command("restore", str(source))
    for info in (member("../outside"), member("/etc/x"), member("link", tarfile.SYMTYPE, "/etc/passwd")):
        with pytest.raises(CommandError):
            call_command("restore", str(pack(more=[info])))
    assert not (tmp_path / "outside").exists() and list(settings.PORTAL_DATA_DIR.iterdir()) == []
