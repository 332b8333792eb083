"""The catalogue's own words, out of the titles and keywords of public rows: what a misspelt word or pinyin may have meant.

Made lazily in memory, from at most ROWS titles: at once where they are few, else by a thread while the one before (or none) serves.
A word that has left the index meanwhile is harmless: whatever is proposed is looked for in the index before it is used.
"""

import threading
import time
from collections import Counter
from functools import cached_property, lru_cache

from catalog.search.document import BETWEEN_DIMENSIONS, BETWEEN_VALUES, STORED
from catalog.search.query import MISSING
from catalog.search.text import RUN, fold
from catalog.search.words import is_han

ROWS, WORDS = 30_000, 40_000
AT_ONCE = 3000  # rows that are read within the query that needs them
RENEWED = 300  # seconds between two readings of a large catalogue
LONGEST = 8
CHOICES = 3
_KEYWORD = STORED.index("keyword")
INITIALS = ("zh", "ch", "sh")


class Vocabulary:
    """Words with the number of titles that have them."""

    def __init__(self, counts: Counter | None = None):
        self.counts = Counter(dict((counts or Counter()).most_common(WORDS)))

    @cached_property
    def latin(self) -> list[str]:
        return [word for word in self.counts if len(word) >= 4 and word.isascii() and not word.isdigit()]

    @cached_property
    def _sounds(self) -> dict[str, list[str]]:
        return self._by(lambda word: "".join(_syllables(word)))

    @cached_property
    def _loose_sounds(self) -> dict[str, list[str]]:
        return self._by(lambda word: "".join(map(_loose, _syllables(word))))

    @cached_property
    def _initials(self) -> dict[str, list[str]]:
        return self._by(lambda word: "".join(syllable[:1] for syllable in _syllables(word)))

    def _by(self, key) -> dict[str, list[str]]:
        """Han words by a key, the most frequent first."""
        found: dict[str, list[str]] = {}
        for word, _count in self.counts.most_common():
            if len(word) > 1 and is_han(word):
                found.setdefault(key(word), []).append(word)
        return found

    def knows(self, word: str) -> bool:
        return word in self.counts

    def of_pinyin(self, typed: str) -> list[str]:
        """Words that this Latin text is the pinyin of: whole, in two parts, or their initials (three letters or more)."""
        if not (typed.isascii() and typed.isalpha() and 2 <= len(typed) <= 40):
            return []
        if found := self._sounds.get(typed):
            return found[:CHOICES]
        halves = ((typed[:at], typed[at:]) for at in range(2, len(typed) - 1))
        pairs = [(self._sounds[left][0], self._sounds[right][0]) for left, right in halves if left in self._sounds and right in self._sounds]
        if pairs:
            return [max((left + right for left, right in pairs), key=lambda word: self.counts[word[:2]])]
        return self._initials.get(typed, [])[:CHOICES] if 3 <= len(typed) <= 6 else []

    def like_latin(self, typed: str) -> list[str]:
        """Latin words at a distance of one letter, two in long words; letters that changed places count as one."""
        if not (typed.isascii() and len(typed) >= 4 and not typed.isdigit()):
            return []
        from rapidfuzz import process
        from rapidfuzz.distance import OSA

        most = 1 if len(typed) < 8 else 2
        found = process.extract(typed[:40], self.latin, scorer=OSA.distance, score_cutoff=most, limit=20)
        ranked = sorted(found, key=lambda hit: (hit[1], hit[0][0] != typed[0], -self.counts[hit[0]], hit[0]))
        return [word for word, _distance, _at in ranked if word != typed][:CHOICES]

    def like_han(self, typed: str) -> list[str]:
        """Words that sound the same, else nearly so (zh-z, ang-an), and share a character or are three or longer."""
        if not 2 <= len(typed) <= LONGEST:
            return []
        exact = self._sounds.get("".join(_syllables(typed)), [])
        near = exact or self._loose_sounds.get("".join(map(_loose, _syllables(typed))), [])
        alike = [word for word in near if word != typed and len(word) == len(typed) and (len(typed) > 2 or set(word) & set(typed))]
        return sorted(alike, key=lambda word: (-_shared(word, typed), -self.counts[word]))[:CHOICES]

    def abbreviated(self, typed: str) -> list[str]:
        """Longer words that two characters may stand for: one of the first part, the beginning of the second (高雄捷运, 高捷)."""
        if len(typed) != 2:
            return []
        first, second = typed
        found = [
            (word[0] != first, -count, word)
            for word, count in self.counts.items()
            if 4 <= len(word) <= 6
            and second in word[2:4]
            and any(word[at] == second and first in word[:at] and word[:at] in self.counts and word[at:] in self.counts for at in (2, 3))
        ]
        return [word for _is_within, _count, word in sorted(found)[:CHOICES]]

    def mend(self, run: str) -> str:
        """A run of Han in which the longest stretch that is no word of the catalogue, but sounds like one, is put right; "" when none is."""
        for size in range(min(len(run), LONGEST), 1, -1):
            for at in range(len(run) - size + 1):
                stretch = run[at : at + size]
                if stretch not in self.counts and (words := self.like_han(stretch)):
                    return run[:at] + words[0] + run[at + size :]
        return ""


def _shared(left: str, right: str) -> int:
    return sum(one == other for one, other in zip(left, right, strict=True))


@lru_cache(maxsize=50_000)
def _sound(character: str) -> str:
    from pypinyin import lazy_pinyin

    return lazy_pinyin(character)[0]


def _syllables(word: str) -> list[str]:
    from pypinyin import lazy_pinyin
    from pypinyin.constants import PHRASES_DICT

    return lazy_pinyin(word) if word in PHRASES_DICT else [_sound(character) for character in word]


def _loose(syllable: str) -> str:
    """One form for sounds that are often mixed up."""
    if syllable[:2] in INITIALS:
        syllable = syllable[0] + syllable[2:]
    return syllable[:-1] if syllable.endswith(("ang", "eng", "ing")) else syllable


def counted(rows, lexicon) -> Counter:
    """Words of (folded title, packed keywords): each once a row; two neighbours of a title also as one word."""
    counts: Counter = Counter()
    for title, keywords in rows:
        found: dict[str, None] = {}
        for match in RUN.finditer(title):
            run = match.group()
            if match.lastindex == 1 and len(run) <= 60:
                words = [word for word, _tag in lexicon.tagged(run)]
                found |= dict.fromkeys(word for word in (*words, *lexicon.parts(run)) if 1 < len(word) <= LONGEST)
                pairs = (left + right for left, right in zip(words, words[1:], strict=False))
                found |= dict.fromkeys(pair for pair in pairs if len(pair) <= LONGEST)
            elif match.lastindex == 2:
                found[run[:40]] = None
        found |= dict.fromkeys(fold(word) for word in keywords.split(BETWEEN_VALUES) if word != MISSING and len(word) <= 20)
        counts.update(found.keys())
    return counts


def _keywords(packed: str) -> str:
    return packed.split(BETWEEN_DIMENSIONS)[_KEYWORD] if packed else MISSING


class Holder:
    """The vocabulary of a process, renewed when the index has moved on."""

    def __init__(self):
        self._held, self._state, self._made, self._size = Vocabulary(), None, 0.0, 0
        self._lock = threading.Lock()

    def get(self, lexicon, *, at_once: bool = False) -> Vocabulary:
        from catalog.models import SearchRow, SearchState

        state = SearchState.objects.filter(id=1).values_list("version", "stamp", "lexicon").first()
        if state == self._state or not (at_once or self._is_due()):
            return self._held
        rows = SearchRow.objects.filter(is_gone=False).order_by("-dataset_id").values_list("title", "dimensions")
        rows = [(title, _keywords(packed)) for title, packed in rows[:ROWS].iterator(chunk_size=2000)]
        self._made, self._size = time.monotonic(), len(rows)
        if at_once or len(rows) <= AT_ONCE:
            self._make(rows, lexicon, state)
        elif self._lock.acquire(blocking=False):
            threading.Thread(target=self._make_then_release, args=(rows, lexicon, state), daemon=True).start()
        return self._held

    def _is_due(self) -> bool:
        return self._size <= AT_ONCE or time.monotonic() - self._made > RENEWED

    def _make(self, rows, lexicon, state) -> None:
        made = Vocabulary(counted(rows, lexicon))
        made._sounds, made._loose_sounds, made._initials, made.latin  # noqa: B018 made here rather than in a query
        self._held, self._state = made, state

    def _make_then_release(self, rows, lexicon, state) -> None:
        try:
            self._make(rows, lexicon, state)
        finally:
            self._lock.release()


holder = Holder()
