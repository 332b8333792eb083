"""Profiling beside its peers on one file: `python -m tests.benchmarks.quality_peers --peers PYTHON [--megabytes 50]`.

PYTHON is that of an environment with ydata-profiling and frictionless, made for this and thrown away. Each tool runs in a process
of its own; its CPU seconds and peak memory are those of that process with its libraries. ydata-profiling runs in its minimal mode.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.quality_speed import generate

TOOLS = {
    "here": None,
    "ydata-profiling": "import sys, pandas; from ydata_profiling import ProfileReport; "
    "ProfileReport(pandas.read_csv(sys.argv[1]), minimal=True, progress_bar=False).to_json()",
    "frictionless": "import sys, os; from frictionless import validate, system; "
    "os.chdir(os.path.dirname(sys.argv[1])); validate(os.path.basename(sys.argv[1]), limit_errors=10)",
}
HERE = "import sys; from quality.sandbox import profile_apart; profile_apart(sys.argv[1], 'table.csv')"


def measure(command: list[str], seconds: int) -> tuple[float, float, float] | str:
    """(CPU seconds, wall seconds, peak MB) of a child and its children, or why there is none."""
    program = (
        "import resource, subprocess, sys; code = subprocess.run(sys.argv[1:]).returncode; "
        "used = resource.getrusage(resource.RUSAGE_CHILDREN); print('USED', code, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)"
    )
    started = time.perf_counter()
    try:
        made = subprocess.run([sys.executable, "-c", program, *command], capture_output=True, text=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        return f"more than {seconds} s"
    _word, code, cpu, peak = made.stdout.strip().splitlines()[-1].split()
    if code != "0":
        return (made.stderr.strip().splitlines() or ["failed"])[-1][:120]
    return float(cpu), time.perf_counter() - started, float(peak)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--peers", required=True)
    parser.add_argument("--megabytes", type=int, default=50)
    parser.add_argument("--seconds", type=int, default=600)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="jimu-peers-") as folder:
        path = Path(folder) / "table.csv"
        rows = generate(path, options.megabytes)
        print(f"{path.stat().st_size / 1e6:.1f} MB, {rows} rows")
        print(f"{'tool':20}{'CPU s':>8}{'wall s':>8}{'peak MB':>9}")
        for name, code in TOOLS.items():
            python = options.peers if code else sys.executable
            found = measure([python, "-c", code or HERE, str(path)], options.seconds)
            print(f"{name:20}{found}" if isinstance(found, str) else f"{name:20}{found[0]:>8.1f}{found[1]:>8.1f}{found[2]:>9.0f}")


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    main()
