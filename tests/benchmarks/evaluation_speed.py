"""How many listings a second `manage.py evaluate --all` scores from their metadata, with run, scores, grade, index and outbox written.

.venv/bin/python -m tests.benchmarks.evaluation_speed [COUNT]
"""

import sys
import time

from tests.benchmarks import setting


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    setting.start()
    from catalog.models import Dataset
    from quality.services import evaluation
    from quality.services.schemes import load_schemes

    load_schemes()
    setting.listings(count)
    pks = list(Dataset.objects.order_by("pk").values_list("pk", flat=True))
    evaluation.evaluate_datasets(pks[:1])  # tables and rules are read once
    print(setting.machine(), "\n", flush=True)
    print("| run | listings | seconds | CPU s | listings/s | per CPU s |\n|---|---|---|---|---|---|", flush=True)
    for name in ("first", "again, grades unchanged"):
        begun, worked = time.perf_counter(), time.process_time()
        done = 0
        for start in range(0, len(pks), evaluation.BATCH):
            runs, errors = evaluation.evaluate_datasets(pks[start : start + evaluation.BATCH])
            assert not errors, errors
            done += len(runs)
        took, cpu = time.perf_counter() - begun, time.process_time() - worked
        print(f"| {name} | {done} | {took:.1f} | {cpu:.1f} | {done / took:,.0f} | {done / cpu:,.0f} |", flush=True)


if __name__ == "__main__":
    main()
