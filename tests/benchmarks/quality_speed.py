"""Speed and memory of profiling and of metadata-only evaluation: `python -m tests.benchmarks.quality_speed [--megabytes 194]`.

Each profile runs in a process of its own, so that its peak memory is its own.
"""

import argparse
import csv
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

WORDS = ["杭州市西湖区", "路面病害图像", "已采集", "人工复核", "示例数据", "标注完成", "二〇二六年", "道路养护"]
HEADER = "编号 姓名 城市 类别 日期 数值 金额 备注 标签 代码".split()


def generate(path: Path, megabytes: int) -> int:
    """A ten-column Chinese table of that size; the number of rows."""
    draw, rows = random.Random(1), 0
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(HEADER)
        while stream.tell() < megabytes * 1_000_000:
            for _ in range(5000):
                rows += 1
                note = "".join(draw.choices(WORDS, k=draw.randrange(1, 8))) if draw.random() > 0.02 else ""
                day = f"2025-{draw.randrange(1, 13):02}-{draw.randrange(1, 29):02}"
                place, label = draw.choice(WORDS), draw.choice(["裂缝", "坑槽", "车辙"])
                row = [rows, f"名{draw.randrange(90000)}", place, draw.choice("ABCDE"), day, draw.gauss(0, 1), draw.randrange(10**6)]
                writer.writerow([*row, note, label, f"{draw.randrange(10**6):06}"])
    return rows


def one(path: str) -> None:
    """Profile in this process and print: rows, CPU seconds, wall seconds, peak MB."""
    from quality.profiling import profile_file

    cpu, wall = time.process_time(), time.perf_counter()
    found = profile_file(path)
    peak = next(int(line.split()[1]) / 1024 for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    print(found["rows"], f"{time.process_time() - cpu:.2f}", f"{time.perf_counter() - wall:.2f}", f"{peak:.0f}")


def profiles(folder: Path, megabytes: int) -> None:
    path = folder / "table.csv"
    generate(path, megabytes)
    parquet = folder / "table.parquet"
    lines = folder / "table.jsonl"
    import polars as pl

    frame = pl.read_csv(path, n_rows=400_000)
    frame.write_parquet(parquet)
    frame.write_ndjson(lines)
    print(f"{'file':22}{'MB':>8}{'rows':>10}{'CPU s':>8}{'wall s':>8}{'peak MB':>9}")
    for target in (path, lines, parquet):
        command = [sys.executable, "-m", "tests.benchmarks.quality_speed", "--one", str(target)]
        rows, cpu, wall, peak = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
        print(f"{target.name:22}{target.stat().st_size / 1e6:8.1f}{rows:>10}{cpu:>8}{wall:>8}{peak:>9}")


def scores(count: int = 2000) -> None:
    """Metadata-only: the pure engine, as the wizard calls it and as a bulk run does."""
    from quality.engine import default_scheme, evaluate, live_score, result_bytes, snapshot_of

    scheme = default_scheme()
    documents = [
        {"title": f"数据集 {n}", "record_count": n + 1, "license_type": "open_source", "modalities": ["image"], "contact_email": "a@example.org"}
        for n in range(count)
    ]
    live_score(documents[0])
    started = time.perf_counter()
    for document in documents:
        snapshot = snapshot_of(document)
        measured, grading = evaluate(snapshot, scheme, scheme["profiles"][0])
        result_bytes(snapshot, scheme, scheme["profiles"][0], measured, grading, 1)
    bulk = count / (time.perf_counter() - started)
    started = time.perf_counter()
    for document in documents[:500]:
        live_score(document)
    print(f"metadata-only evaluations, engine alone: {bulk:.0f} a second; live score: {(time.perf_counter() - started) * 2:.2f} ms")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--megabytes", type=int, default=194)
    parser.add_argument("--one")
    options = parser.parse_args()
    if options.one:
        one(options.one)
        return
    scores()
    with tempfile.TemporaryDirectory(prefix="jimu-bench-") as folder:
        profiles(Path(folder), options.megabytes)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    main()
