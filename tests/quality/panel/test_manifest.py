"""Manifests: what is wrong is named with its line; the canonical form does not depend on the order or the format."""

import pytest

from quality.panel import manifest

GOOD = "a" * 64


def test_csv_and_json_lines_give_the_same_canonical_bytes():
    table = f"\ufeffPath,size,sha256,label\nb/2.jpg,20,{GOOD},病害\na/1.jpg,10,{GOOD.upper()},\n".encode()
    lines = f'{{"path":"a/1.jpg","size":10,"sha256":"{GOOD}"}}\n{{"path":"b/2.jpg","size":"20","sha256":"{GOOD}","label":"病害"}}\n'.encode()

    (one, none), (other, nothing) = manifest.read(table), manifest.read(lines)

    assert none == nothing == []
    assert manifest.canonical(one) == manifest.canonical(other)
    assert manifest.load(manifest.canonical(one)) == sorted(one, key=lambda item: item.path)


@pytest.mark.parametrize(
    ("row", "field"),
    [
        (f"/etc/passwd,1,{GOOD}", "path"),
        (f"a/../b,1,{GOOD}", "path"),
        (f"C:\\x,1,{GOOD}", "path"),
        (f",1,{GOOD}", "path"),
        (f"x\x07,1,{GOOD}", "path"),
        (f"x,-1,{GOOD}", "size"),
        (f"x,1e3,{GOOD}", "size"),
        (f"x,99999999999999999,{GOOD}", "size"),
        ("x,1,abc", "sha256"),
        (f"first,1,{GOOD}", "path"),
        (f"x,1,{GOOD},more", ""),
    ],
)
def test_a_wrong_row_is_named(row, field):
    _items, errors = manifest.read(f"path,size,sha256\nfirst,1,{GOOD}\n{row}\n".encode())

    assert [(error["line"], error["field"]) for error in errors] == [(3, field)]


@pytest.mark.parametrize("content", [b"", b"\n\n", b"path,size\nx,1\n", b"\xff\xfe\x00", b'{"path":', b'{}\n[1]\n"x"\n', b'"unclosed', b"\x00" * 100])
def test_what_is_no_manifest_is_refused_with_a_reason(content):
    items, errors = manifest.read(content)

    assert not items and errors and all(error["message"] for error in errors)


def test_size_rows_and_errors_are_bounded(monkeypatch):
    monkeypatch.setattr(manifest, "ITEMS", 3)
    many = "path,size,sha256\n" + "".join(f"{n},1,{GOOD}\n" for n in range(9))
    bad = "path,size,sha256\n" + "x,y,z\n" * 500
    monkeypatch.setattr(manifest, "LIMIT", 100_000)

    assert manifest.read(many.encode())[1][-1]["line"] == 0
    assert len(manifest.read(bad.encode())[1]) == manifest.ERRORS
    assert manifest.read(b"x" * 100_001)[1][0]["line"] == 0
