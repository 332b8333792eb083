"""Words that mean the same: mainland and Taiwan vocabulary from OpenCC's phrase tables, and the editable list of synonym groups.

The list is in the database (SynonymGroup), so an edit acts on the next query; its edition is a number in SearchState.
"""

import threading
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from catalog.search.text import fold
from catalog.search.words import is_han

SAME, NARROWER = "same", "narrower"
FACTORS = {"typed": 1.0, "variant": 0.95, SAME: 0.85, NARROWER: 0.6}
MOST_OPTIONS = 12
NEW = "new"


@dataclass(frozen=True)
class Option:
    """A way to say a word. `factor`: how much a row that says it so counts, of 1 for the word as typed."""

    text: str
    kind: str  # typed, or of query.EXPANSION_KINDS
    factor: float


class Lexicon:
    """As of one edition; folded forms."""

    def __init__(self, groups: list[tuple[str, list[str]]] = (), edition: str = ""):
        self.edition = edition
        self._options: dict[str, dict[str, Option]] = {}
        for relation, words in groups:
            self._add(relation, [fold(word) for word in words])
        for left, right in _regional():
            self._join(left, right, Option(right, "variant", FACTORS["variant"]))
            self._join(right, left, Option(left, "variant", FACTORS["variant"]))
        self._segmenter = None
        self._lock = threading.Lock()

    def _add(self, relation: str, words: list[str]) -> None:
        for word in words if relation == SAME else words[:1]:
            for other in words if relation == SAME else words[1:]:
                self._join(word, other, Option(other, "synonym", FACTORS[relation]))
        if relation == NARROWER:
            for word in words[1:]:
                self._options.setdefault(word, {})

    def _join(self, word: str, other: str, option: Option) -> None:
        if word and other and word != other:
            held = self._options.setdefault(word, {})
            if other not in held or held[other].factor < option.factor:
                held[other] = option

    def knows(self, word: str) -> bool:
        return word in self._options

    def options(self, word: str) -> list[Option]:
        """Other ways to say this word, nearest first."""
        return sorted(self._options.get(word, {}).values(), key=lambda option: -option.factor)[:MOST_OPTIONS]

    def tagged(self, run: str) -> list[tuple[str, str]]:
        """(word, part of speech) of a run of Han; NEW for a word that no dictionary has."""
        segmenter = self.segmenter
        return [(word, tag if len(word) == 1 or segmenter.has_word(word) else NEW) for word, tag in segmenter.tag(run)]

    def is_word(self, word: str) -> bool:
        return self.segmenter.has_word(word)

    def parts(self, run: str) -> list[str]:
        """Words of a run of Han and the words within them."""
        return self.segmenter.cut_for_search(run)

    @property
    def segmenter(self):
        with self._lock:
            if self._segmenter is None:
                import rjieba

                segmenter = rjieba.Jieba()
                for word in self._options:
                    if len(word) > 1 and is_han(word) and not segmenter.has_word(word):
                        segmenter.add_word(word, 200, "n")
                self._segmenter = segmenter
        return self._segmenter


@cache
def _regional() -> list[tuple[str, str]]:
    """(mainland word, Taiwan word) where folding does not make them one."""
    import opencc

    folder = Path(opencc.__file__).parent / "dictionary"
    found = {}
    for name, is_reverse in (("TWPhrases.txt", False), ("TWPhrasesRev.txt", True)):
        for line in (folder / name).read_text(encoding="utf-8").splitlines():
            key, _tab, values = line.partition("\t")
            for value in values.split(" "):
                pair = (fold(value), fold(key)) if is_reverse else (fold(key), fold(value))
                if pair[0] != pair[1] and all(len(word) > 1 for word in pair):
                    found[pair] = None
    return list(found)


_held: dict[str, Lexicon] = {}


def lexicon() -> Lexicon:
    """That of the database's edition."""
    from catalog.models import SearchState, SynonymGroup

    edition = SearchState.objects.filter(id=1).values_list("lexicon", flat=True).first() or ""
    held = _held.get("now")
    if held is None or held.edition != edition:
        groups = SynonymGroup.objects.filter(is_active=True).order_by("pk").values_list("relation", "words")
        held = _held["now"] = Lexicon([(relation, words) for relation, words in groups if isinstance(words, list)], edition)
    return held
