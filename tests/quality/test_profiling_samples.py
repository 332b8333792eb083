"""The measured values of the shared sample files (SOURCES.md), one test a file."""

import re

import pytest

from quality.profiling import profile_file
from tests.shared import shared


def measured():
    try:
        source = shared("data", "samples", "SOURCES.md")
    except pytest.skip.Exception:
        return []
    rows = [[cell.strip() for cell in line.split("|")] for line in source.read_text(encoding="utf-8").splitlines()]
    return [(row[1], row[8]) for row in rows if len(row) > 8 and "body rows" in row[8]]


def number(pattern, text):
    found = re.search(pattern, text)
    return int(found.group(1)) if found else 0


@pytest.mark.parametrize(("name", "said"), measured() or [("none", "")])
def test_a_delimited_file_profiles_as_measured(name, said):
    path = shared("data", "samples", name)

    profile = profile_file(path)

    assert profile["readable"], profile["reason"]
    assert {
        "encoding": profile["encoding"],
        "rows": profile["rows"],
        "columns": len(profile["columns"]),
        "ragged": profile["ragged_rows"],
        "blank": profile["blank_rows"],
        "duplicate": profile["duplicate_rows"],
        "missing": profile["missing_cells"],
        "longest": profile["longest_cell"],
    } == {
        "encoding": said.split(";")[0],
        "rows": number(r"(\d+) body rows", said),
        "columns": number(r"(\d+) columns", said),
        "ragged": number(r"ragged (\d+)", said),
        "blank": number(r"blank rows (\d+)", said),
        "duplicate": number(r"duplicate rows (\d+)", said),
        "missing": number(r"empty cells (\d+)", said) + number(r"NA-like cells (\d+)", said),
        "longest": number(r"longest cell (\d+)", said),
    }


OTHERS = {
    "zh_caocao.json": ("JSON", "utf-8", 26, 0),
    "zh_song_poems_error.json": ("JSON", "utf-8", 43, 0),
    "zh_tang_authors.json": ("JSON", "utf-8", 400, 0),
    "coco_captions_mini.json": ("JSON", "utf-8", 4, 0),
    "zh_tang_poems.jsonl": ("JSONL", "utf-8", 500, 0),
    "table.jsonl": ("JSONL", "utf-8", 2, 0),
    "table.parquet": ("Parquet", "", 2, 0),
    "split_test.parquet": ("Parquet", "", 2, 0),
    "split_train.parquet": ("Parquet", "", 3, 0),
    "robotics_arrays.parquet": ("Parquet", "", 10, 0),
    "zh_wiki_big5.txt": ("TEXT", "big5", 14, 4),
    "ko_cp949.txt": ("TEXT", "cp949", 1, 0),
    "en_subtitles_bom.txt": ("TEXT", "utf-8-sig", 35, 6),
    "test_file.json.gz": ("JSONL", "utf-8", 10, 0),
    "tab_empty.csv": ("CSV", "utf-8", 0, 0),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_formats_profile_as_measured(name):
    profile = profile_file(shared("data", "samples", name))

    assert (profile["readable"], profile["format"], profile["encoding"], profile["rows"], profile["duplicate_rows"]) == (True, *OTHERS[name])


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("invalid.json", "第 2 行第 5 列"),
        ("split_train_truncated.parquet", "缺少文件脚"),
        ("test_image_rgb_truncated.jpg", "没有结束标记"),
    ],
)
def test_a_broken_file_is_refused_with_the_reason(name, reason):
    profile = profile_file(shared("data", "samples", name))

    assert not profile["readable"]
    assert reason in profile["reason"]
    assert profile["rows"] is None


@pytest.mark.parametrize("name", ["test_audio_16000.pcm", "test_pdf.pdf", "test_video_66x50.mov"])
def test_a_format_that_is_not_analysed_is_readable_and_says_so(name):
    profile = profile_file(shared("data", "samples", name))

    assert profile["readable"]
    assert profile["rows"] is None
    assert "不分析" in profile["reason"]


@pytest.mark.parametrize(
    ("name", "kind", "rate", "seconds"),
    [
        ("audio_clap.mp3", "MP3", "48000", 1.17),
        ("test_audio_16000.mp3", "MP3", "16000", 2.56),
        ("test_audio_44100.wav", "WAV", "44100", 202311 / 44100),
        ("test_audio_48000.opus", "OGG", "48000", 1.0),
    ],
)
def test_a_recording_is_decoded_to_its_end(name, kind, rate, seconds):
    profile = profile_file(shared("data", "samples", name))
    (group,) = profile["media"]

    assert (profile["readable"], profile["format"], group["rates"], group["faults"]) == (True, kind, {rate: 1}, {})
    assert group["seconds"] == pytest.approx(seconds, abs=0.05)


@pytest.mark.parametrize(
    ("name", "kind", "mode", "size"), [("test_image_rgb.jpg", "JPEG", "RGB", [640, 480]), ("test_image_rgba.png", "PNG", "RGBA", [200, 200])]
)
def test_an_image_is_decoded_whole(name, kind, mode, size):
    profile = profile_file(shared("data", "samples", name))
    (group,) = profile["media"]

    assert (profile["format"], group["count"], group["broken"], group["modes"], group["largest"]) == (kind, 1, 0, {mode: 1}, size)


def test_merged_cells_of_a_sheet_are_told():
    profile = profile_file(shared("data", "samples", "merged-cells.xlsx"))

    assert (profile["readable"], profile["format"]) == (True, "XLSX")
    assert "merged_cells" in {item["code"] for item in profile["findings"]}
