"""Rows per second and peak memory of every whole-catalogue export. Run: python tests/benchmarks/export_speed.py [ROWS]"""

import os
import resource
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ["PORTAL_DEBUG"] = "1"
os.environ["PORTAL_DATA_DIR"] = tempfile.mkdtemp(prefix="jimu-bench-")
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"


def main():
    import django

    django.setup()
    from django.core.management import call_command
    from django.utils import timezone

    from catalog.ids import dataset_urn, new_uid
    from catalog.interchange.published import entries
    from catalog.models import Dataset, Resource
    from catalog.views.export import CATALOG_FORMATS
    from tests.factories import COMPLETE, make_organization

    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    Path(os.environ["PORTAL_DATA_DIR"]).mkdir(exist_ok=True)
    call_command("migrate", verbosity=0)
    organization, now = make_organization(), timezone.now()
    kept = {"home_portal": "cn", "organization": organization, "status": "listed", "listed_at": now}
    for start in range(0, count, 2000):
        uids = [new_uid() for _number in range(min(2000, count - start))]
        rows = Dataset.objects.bulk_create(Dataset(**COMPLETE | kept, uid=uid, identifier=dataset_urn("cn", uid)) for uid in uids)
        Resource.objects.bulk_create(Resource(dataset=row, name="a.csv", format="CSV", download_url="https://example.org/a.csv") for row in rows)
    print(f"{'format':<10}{'rows':>8}{'MB':>8}{'seconds':>9}{'rows/s':>9}{'peak MB':>9}")
    for name, (_file, _type, write) in CATALOG_FORMATS.items():
        begun = time.perf_counter()
        size = sum(len(piece) for piece in write(entries()))
        took = time.perf_counter() - begun
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(f"{name:<10}{count:>8}{size / 1e6:>8.1f}{took:>9.2f}{count / took:>9.0f}{peak:>9}")


if __name__ == "__main__":
    main()
