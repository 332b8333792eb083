"""How long the overview of grades takes to work out, and to show again: aggregates over all listings and their latest runs.

.venv/bin/python -m tests.benchmarks.overview_speed [COUNT]
"""

import sys
import time

from tests.benchmarks import setting


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    setting.start()
    from catalog.models import Dataset
    from quality.engine import live_score
    from quality.services import evaluation
    from quality.services.overview import overview
    from quality.services.schemes import load_schemes
    from tests.quality.test_scoring import FULL, table

    load_schemes()
    setting.listings(count)
    pks = list(Dataset.objects.order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(pks), evaluation.BATCH):
        evaluation.evaluate_datasets(pks[start : start + evaluation.BATCH])
    print(setting.machine(), "\n", flush=True)
    print("| what | n | seconds | CPU s |\n|---|---|---|---|", flush=True)
    for name, work, times in (
        ("overview, worked out", overview, 1),
        ("overview, kept", overview, 1),
        ("live score of a draft with a sample", lambda: live_score(FULL, [table(300)]), 200),
    ):
        begun, worked = time.perf_counter(), time.process_time()
        for _time in range(times):
            work()
        took, cpu = (time.perf_counter() - begun) / times, (time.process_time() - worked) / times
        print(f"| {name} | {count if times == 1 else times} | {took:.4f} | {cpu:.4f} |", flush=True)


if __name__ == "__main__":
    main()
