"""How many listings a second `import_catalog` stores on SQLite, search index and outbox included.

    .venv/bin/python -m tests.benchmarks.import_speed [FILE_OR_FOLDER] [--rows N]

Without one it makes a list of 20,000 rows. Each line is a run of the real command, its start included; CPU s is that process's own.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks import setting


def manage(folder, *arguments) -> str:
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=setting.ROOT, env=os.environ | setting.environment(folder), capture_output=True, text=True).stdout


def made(folder: str, rows: int) -> str:
    path = Path(folder, "made.csv")
    lines = ("提供机关,数据集名称,数据集描述,更新频率,发布日期", *(f"示例局 {n % 300},示例数据集 {n},说明 {n},每月,2024/03/18" for n in range(rows)))
    path.write_text("\n".join(lines), encoding="utf-8")
    return str(path)


def worked() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("source", nargs="?")
    parser.add_argument("--rows", type=int, default=20_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="jimu-bench-") as folder:
        path = arguments.source or made(folder, arguments.rows)
        manage(folder, "migrate", "-v0")
        manage(folder, "load_vocabularies", "-v0")
        print(setting.machine(), "\n", flush=True)
        print("| run | records | created | updated | seconds | CPU s | records/s | per CPU s |\n|---|---|---|---|---|---|---|---|", flush=True)
        for name, options in (("dry run", ["--dry-run"]), ("first import", []), ("second import", [])):
            begun, before = time.perf_counter(), worked()
            report = json.loads(manage(folder, "import_catalog", path, "--json", *options))
            seconds, cpu = time.perf_counter() - begun, worked() - before
            records = sum(report[key] for key in ("created", "updated", "unchanged", "rejected"))
            figures = f"{seconds:.1f} | {cpu:.1f} | {records / seconds:,.0f} | {records / cpu:,.0f}"
            print(f"| {name} | {records} | {report['created']} | {report['updated']} | {figures} |", flush=True)


if __name__ == "__main__":
    main()
