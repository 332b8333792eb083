"""What the benchmarks share: a database of their own in a temporary folder, settings as in service, and the line above each table."""

import datetime
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def start(folder: str = "") -> Path:
    """Django with the settings of a service (no query log) over an empty database, or the one kept in a folder; DATABASE_URL is kept where
    it is set."""
    folder = folder or tempfile.mkdtemp(prefix="jimu-bench-")
    sys.path.insert(0, str(ROOT))
    os.environ |= environment(folder) | {"DJANGO_SETTINGS_MODULE": "config.settings"}
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    call_command("load_vocabularies", verbosity=0, stdout=open(os.devnull, "w"))
    return Path(folder)


def environment(folder: str) -> dict[str, str]:
    return {
        "PORTAL_DEBUG": "",
        "PORTAL_SECRET_KEY": "only-for-measuring-" + "0" * 40,
        "PORTAL_BASE_URL": "http://127.0.0.1",
        "PORTAL_DATA_DIR": folder,
        "PORTAL_STATIC_ROOT": f"{folder}/static",
        "PORTAL_LOG_LEVEL": "ERROR",
    }


def machine() -> str:
    """Date, version, machine and how busy it was: without these a figure says nothing."""
    version = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    database = "PostgreSQL" if os.environ.get("DATABASE_URL", "").startswith("postgres") else "SQLite"
    cores = f"{os.cpu_count()} cores, Python {platform.python_version()}, {database}"
    return f"{datetime.date.today()} · {version} · {cores} · load {os.getloadavg()[0]:.1f}"


def listings(count: int) -> None:
    """So many listed datasets of this portal, with one file each, without index rows and jobs."""
    from django.db import transaction
    from django.utils import timezone

    from catalog import rows
    from catalog.ids import dataset_urn, new_uid
    from catalog.listing import digest, to_document
    from catalog.models import Dataset, Resource
    from tests.factories import COMPLETE, make_organization

    organization = make_organization()
    kept = COMPLETE | {"home_portal": "cn", "organization": organization, "status": "listed", "listed_at": timezone.now()}
    for start_at in range(0, count, 1000):
        uids = [new_uid() for _number in range(min(1000, count - start_at))]
        batch = [
            Dataset(**kept | {"title": f"示例数据集 {start_at + number}"}, uid=uid, identifier=dataset_urn("cn", uid))
            for number, uid in enumerate(uids)
        ]
        with transaction.atomic():
            rows.insert(Dataset, batch)
            files = [Resource(dataset=row, name="a.csv", format="CSV", download_url="https://example.org/a.csv") for row in batch]
            rows.insert(Resource, files)
            for row, file in zip(batch, files, strict=True):
                row._prefetched_objects_cache = {"resources": [file], "samples": []}
                row.document_hash = digest(to_document(row))
            rows.overwrite(Dataset, batch, ["document_hash"])
