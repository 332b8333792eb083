"""Rows per second and peak memory of every whole-catalogue export.

.venv/bin/python -m tests.benchmarks.export_speed [ROWS]
"""

import resource
import sys
import time

from tests.benchmarks import setting


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    setting.start()
    from catalog.interchange.published import entries
    from catalog.views.export import CATALOG_FORMATS

    setting.listings(count)
    print(setting.machine(), "\n", flush=True)
    print("| format | rows | MB | seconds | CPU s | rows/s | rows per CPU s | peak MB |\n|---|---|---|---|---|---|---|---|", flush=True)
    for name in ("csv", "ndjson", "datajson", "jsonld", "ttl"):
        write = CATALOG_FORMATS[name][2]
        begun, worked = time.perf_counter(), time.process_time()
        size = sum(len(piece) for piece in write(entries(with_files=name != "csv")))
        took, cpu = time.perf_counter() - begun, time.process_time() - worked
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        figures = f"{size / 1e6:.1f} | {took:.2f} | {cpu:.2f} | {count / took:,.0f} | {count / cpu:,.0f} | {peak}"
        print(f"| {name} | {count} | {figures} |", flush=True)


if __name__ == "__main__":
    main()
