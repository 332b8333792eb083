"""Suggestions while typing: titles, providers and keywords from the index, common queries, and what was typed in pinyin."""

from catalog.search import vocabulary
from catalog.search.backends import get_backend
from catalog.search.lexicon import lexicon
from catalog.search.text import fold
from catalog.services import popular

LIMIT = 8
FEW = 3  # found for what was typed; with fewer, Latin letters are read as pinyin too


def suggestions(prefix: str) -> list[dict]:
    """[{"text", "kind": title|organization|keyword|query}], each text once; at most LIMIT."""
    prefix = prefix.replace("\x00", "").strip()[:100]
    if not prefix:
        return []
    often = popular.suggestions(prefix)
    found = [*often, *get_backend().suggest(prefix, limit=LIMIT - len(often))]
    if len(found) < FEW:
        for word in _spoken(fold(prefix)):
            found += get_backend().suggest(word, limit=LIMIT - len(found)) if len(found) < LIMIT else []
    return list({item["text"]: item for item in found}.values())[:LIMIT]


def _spoken(folded: str) -> list[str]:
    """Words of the catalogue that these letters are the pinyin of; they are looked for, never shown."""
    return vocabulary.holder.get(lexicon()).of_pinyin(folded.replace(" ", "")) if folded.isascii() else []
