"""How many listings a second `import_catalog` stores on SQLite, search index and outbox included.

    .venv/bin/python tests/benchmarks/import_speed.py [FILE] [--rows N]

Without FILE it makes a list of 20,000 rows. Each line is a run of the real command on a fresh folder.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def manage(folder, *arguments) -> str:
    environment = os.environ | {"PORTAL_DEBUG": "1", "PORTAL_DATA_DIR": folder}
    done = subprocess.run([sys.executable, "manage.py", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True)
    return done.stdout


def made(folder: str, rows: int) -> str:
    path = Path(folder, "made.csv")
    lines = ("提供机关,数据集名称,数据集描述,更新频率,发布日期", *(f"示例局 {n % 300},示例数据集 {n},说明 {n},每月,2024/03/18" for n in range(rows)))
    path.write_text("\n".join(lines), encoding="utf-8")
    return str(path)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("file", nargs="?")
    parser.add_argument("--rows", type=int, default=20_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = arguments.file or made(folder, arguments.rows)
        manage(folder, "migrate", "-v0")
        manage(folder, "load_vocabularies", "-v0")
        started = time.perf_counter()
        manage(folder, "check")
        start_up = time.perf_counter() - started
        print(f"{'run':<14}{'records':>9}{'seconds':>9}{'per second':>12}")
        for name, options in (("dry run", ["--dry-run"]), ("first import", []), ("second import", [])):
            started = time.perf_counter()
            report = json.loads(manage(folder, "import_catalog", path, "--json", *options))
            seconds = time.perf_counter() - started - start_up
            records = sum(report[key] for key in ("created", "updated", "unchanged", "rejected"))
            print(f"{name:<14}{records:>9}{seconds:>9.1f}{records / seconds:>12.0f}")


if __name__ == "__main__":
    main()
