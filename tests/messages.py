"""English words of the pages. `python -m tests.messages` brings config/locale/en up to the sources and compiles it; GNU gettext is not needed.

A msgid is the Chinese text of a source. Texts that left the sources leave the file; new ones stand in it untranslated, and are
named, until someone writes their English; tests/test_messages.py fails until then.
"""

import csv
import io
import json
import re
import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
APPS = ("catalog", "quality", "federation", "config")
PO = ROOT / "config" / "locale" / "en" / "LC_MESSAGES" / "django.po"
MO = PO.with_suffix(".mo")
KEYWORDS = {"gettext": None, "gettext_lazy": None, "ngettext": (1, 2), "ngettext_lazy": (1, 2), "gettext_noop": None, "_": None}
HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
HEADER = "# The English words of the pages. msgids are the Chinese texts of the sources; `make messages` brings this file up to them."


def source_messages() -> dict[str, tuple[str | tuple[str, str], str]]:
    """{msgid: (msgid or both forms of a plural, file it was first met in)} in the order of the sources."""
    if not settings.configured:
        settings.configure()
    found = {}
    for path in sources():
        text = path.read_text(encoding="utf-8")
        code = text if path.suffix == ".py" else templatize(text, origin=str(path))
        for _line, message, _comments, _context in extract("python", io.BytesIO(code.encode()), KEYWORDS):
            found.setdefault(singular(message), (message, path.relative_to(ROOT).as_posix()))
    for path, text in data_texts():
        found.setdefault(text, (text, path.relative_to(ROOT).as_posix()))
    return found


def data_texts():
    """(path, Chinese text) of shipped data that pages show: the evaluation schemes, and the names of indicators and documentation items."""
    for path in sorted((ROOT / "quality" / "schemes").glob("*.json")):
        yield from ((path, text) for text in chinese_in(json.loads(path.read_text(encoding="utf-8"))))
    for path in (ROOT / "catalog" / "vocabularies" / name for name in ("quality_indicators.csv", "documentation_items.csv")):
        with path.open(encoding="utf-8", newline="") as stream:
            yield from ((path, row["name"]) for row in csv.DictReader(stream))


def chinese_in(value):
    if isinstance(value, str):
        yield from [value] if HAN.search(value) else []
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from chinese_in(part)


def sources():
    for app in APPS:
        yield from sorted(path for path in (ROOT / app).rglob("*.py") if "migrations" not in path.parts)
    yield from sorted((ROOT / "templates").rglob("*.html"))


def singular(message) -> str:
    return message if isinstance(message, str) else message[0]


def translations() -> dict[str, str | tuple[str, ...]]:
    """{msgid: msgstr, or the forms of a plural} of the .po file; fuzzy ones count as missing."""
    with PO.open("rb") as stream:
        return {singular(message.id): "" if message.fuzzy else message.string for message in read_po(stream, locale="en") if message.id}


def update() -> list[str]:
    """Rewrite the .po after the sources and compile it; the msgids without English."""
    known, catalog = translations(), Catalog(locale="en", header_comment=HEADER, fuzzy=False)
    for msgid, (message, path) in source_messages().items():
        catalog.add(message, known.get(msgid, ""), locations=[(path, None)])
    with PO.open("wb") as stream:
        write_po(stream, catalog, width=0, omit_header=True)
    body = PO.read_text(encoding="utf-8")
    PO.write_text(f"{HEADER}\n{POSTED}\n{body}", encoding="utf-8")
    with PO.open("rb") as source, MO.open("wb") as target:
        write_mo(target, read_po(source, locale="en"))
    return [msgid for msgid in source_messages() if not all_filled(known.get(msgid))]


def all_filled(translation) -> bool:
    return bool(translation) and (isinstance(translation, str) or all(translation))


POSTED = """msgid ""
msgstr ""
"Project-Id-Version: jimu\\n"
"Language: en\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"""

if __name__ == "__main__":
    lacking = update()
    print("\n".join(lacking))
    print(f"{len(lacking)} texts without English in {PO.relative_to(ROOT)}")
    sys.exit(bool(lacking))
