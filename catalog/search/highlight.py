"""Marks what was searched for in a shown text. Everything that comes from a listing is escaped here."""

import unicodedata

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from catalog.search.text import traditional_table

PASSAGE = 120  # characters of a passage


def _folded_with_places(text: str) -> tuple[str, list[int]]:
    """The text folded character by character, and for each folded character where it came from."""
    table, parts, places = traditional_table(), [], []
    for at, character in enumerate(text):
        folded = unicodedata.normalize("NFKC", character).casefold().translate(table)
        parts.append(folded)
        places.extend([at] * len(folded))
    return "".join(parts), places


def spans(text: str, terms: list[str]) -> list[tuple[int, int]]:
    """Where the terms stand in the text: (start, end), in order, without overlap."""
    folded, places = _folded_with_places(text)
    taken = [False] * (len(text) + 1)
    for term in terms:
        at = folded.find(term)
        while at >= 0:
            for place in places[at : at + len(term)]:
                taken[place] = True
            at = folded.find(term, at + len(term))
    edges = [at for at in range(len(text) + 1) if taken[at] != (at > 0 and taken[at - 1])]
    return list(zip(edges[::2], edges[1::2], strict=True))


def highlight(text: str, terms: list[str]) -> SafeString:
    """The text as HTML with <mark> around the terms; safe whatever text and terms hold."""
    parts, last = [], 0
    for start, end in spans(text, terms):
        parts += [escape(text[last:start]), "<mark>", escape(text[start:end]), "</mark>"]
        last = end
    return mark_safe("".join([*parts, escape(text[last:])]))  # noqa: S308 every part was escaped


def passage(text: str, terms: list[str]) -> str:
    """The stretch of a text around the first match, cut to PASSAGE characters; its beginning when nothing matches."""
    text = " ".join(text[:20_000].split())
    found = spans(text, terms)
    start = max(0, found[0][0] - PASSAGE // 3) if found else 0
    cut = text[start : start + PASSAGE]
    return ("…" if start else "") + cut + ("…" if start + PASSAGE < len(text) else "")
