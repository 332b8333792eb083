"""The process that reads samples: it cannot reach anything, it is stopped in time, and what it cannot read is a reason."""

import json
import os
import subprocess
import sys
import textwrap
import zipfile

import pytest

from quality.profiling import limits
from quality.sandbox import ROOT, ProfileFailed, profile_apart
from tests.quality import faults


def test_a_profile_from_the_process_equals_one_made_here(tmp_path):
    from quality.profiling import profile_file

    path = tmp_path / "table.csv"
    path.write_text(faults.table(), encoding="utf-8")

    apart = profile_apart(path, "table.csv")

    assert apart == json.loads(json.dumps(profile_file(path), default=str))


def locked(code: str) -> str:
    """Run code in a process that locked itself; what it prints."""
    program = (
        "from django.conf import settings; settings.configure(USE_I18N=False)\nfrom quality.profiling import lockdown\ngranted = lockdown.lock(30)\n"
    )
    made = subprocess.run([sys.executable, "-c", program + textwrap.dedent(code)], capture_output=True, text=True, cwd=ROOT, timeout=120)
    return made.stdout + made.stderr.strip().rpartition("\n")[2]


@pytest.mark.parametrize(
    "code",
    ["import socket; socket.create_connection(('127.0.0.1', 9))", "import subprocess; subprocess.run(['true'])", "import os; os.system('true')",
     "import pickle; pickle.loads(b'cos\\nsystem\\n(S\"true\"\\ntR.')"],
)  # fmt: skip
def test_the_process_has_no_network_no_programs_and_unpickles_nothing(code):
    assert "is not allowed in the process that reads samples" in locked(code)


def test_native_code_has_no_network_either():
    said = locked("import ctypes; print(granted['system_calls'], ctypes.CDLL(None, use_errno=True).socket(2, 1, 0), ctypes.get_errno())")

    assert said.startswith(("True -1 1", "False"))


def test_memory_past_the_bound_is_an_error_there_and_a_reason_here():
    assert "MemoryError" in locked("held = bytearray(3 * 1024**3)")


def test_too_little_memory_ends_with_the_reason(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(faults.table() * 300, encoding="utf-8")

    with pytest.raises(ProfileFailed, match="内存|读取进程") as raised:
        profile_apart(path, "table.csv", memory=120 * 1024**2)

    assert str(raised.value)


def test_time_is_bounded_and_the_process_is_gone(tmp_path):
    path = tmp_path / "pipe.csv"
    os.mkfifo(path)

    with pytest.raises(ProfileFailed, match="时间上限") as raised:
        profile_apart(path, "pipe.csv", seconds=2)

    assert raised.value.final


def test_a_person_who_cancels_stops_the_process(tmp_path):
    class Stop(Exception):
        pass

    def progress(done, total):
        raise Stop

    path = tmp_path / "pipe.csv"
    os.mkfifo(path)

    with pytest.raises(Stop):
        profile_apart(path, "pipe.csv", progress=progress, seconds=60)


def hostile(kind: str, path) -> None:
    if kind == "million_columns.csv":
        path.write_bytes(b",".join(b"c%d" % n for n in range(10**6)) + b"\n" + b",".join([b"1"] * 10**6) + b"\n")
    elif kind == "one_line.csv":
        with path.open("wb") as stream:
            for _ in range(300):
                stream.write(b"a" * 1024**2)
    elif kind == "lying.zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
            made.writestr("a.csv", b"1,2\n" * 200_000)
        raw = path.read_bytes()  # the directory states 100 bytes
        at = raw.rindex(b"PK\x01\x02")
        path.write_bytes(raw[: at + 24] + (100).to_bytes(4, "little") + raw[at + 28 :])
    elif kind == "many.zip":
        with zipfile.ZipFile(path, "w") as made:
            for number in range(limits.ZIP_MEMBERS + 1):
                made.writestr(f"{number}.txt", b"")
    elif kind == "giant.parquet":
        import polars as pl

        pl.DataFrame({"a": pl.Series(["x" * 1000]).repeat_by(400_000).explode()}).write_parquet(path)
    elif kind == "bomb.xlsx":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
            made.writestr("xl/workbook.xml", b"<workbook/>")
            made.writestr("xl/worksheets/sheet1.xml", b" " * 150 * 1024**2)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("million_columns.csv", "列|字符"), ("one_line.csv", "超过"), ("lying.zip", "读不出|压缩炸弹"), ("many.zip", "成员|目录"), ("giant.parquet", ""),
     ("bomb.xlsx", "压缩炸弹")],
)  # fmt: skip
def test_a_hostile_file_is_refused_or_bounded_within_the_memory(tmp_path, kind, reason):
    import re

    path = tmp_path / kind
    hostile(kind, path)

    profile = profile_apart(path, kind)  # within limits.MEMORY_BYTES, or it would have raised

    if reason:
        assert not profile["readable"] or profile.get("broken_members")
        assert re.search(reason, str(profile["findings"]) + profile["reason"])
    else:
        assert profile["rows"] == 400_000
