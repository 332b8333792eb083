"""Text as search sees it: one folding and one tokenisation for every engine.

Every position of a run gives one token: in Han (and kana, hangul) the two characters that start there, in other words
the next sixteen. Where the two kinds of run touch, the touching characters are a token too. So whatever stretch of a text is typed, each of
its pieces is a token of that text or the beginning of one: recall against substring search is complete.
"""

import re
import unicodedata
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

FORMAT = 2  # raise when tokens change: the index is then built anew
WORD = 16  # characters kept of the tail of a word
MAX_PIECES = 64  # more conditions cannot narrow a result in practice; dropping some loses no hit
MAX_QUERY = 2000  # characters that are looked at
TITLE = "\ue001"  # begins the tokens of the title
SYMBOL = "\ue000"  # begins the token of a character that is neither letter nor digit
CJK = (
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3038-\u303b\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
    "\uf900-\ufaff\U00020000-\U0003ffff"
)
RUN = re.compile(rf"([{CJK}]+)|([^\W_{CJK}]+)|([^\s\w\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\ufeff\ue000-\uf8ff]|_)")
NOISE = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff\u200b-\u200f\u202a-\u202e\u2060\ufeff\ue000-\uf8ff]+")
SPACE = re.compile(r"\s+")


class Piece(NamedTuple):
    """One condition of a query: the text has this token, or one that begins with it."""

    token: str
    is_prefix: bool


@cache
def traditional_table() -> dict[int, str]:
    """str.translate table from traditional and variant forms to simplified characters, from OpenCC's tables."""
    import opencc

    folder = Path(opencc.__file__).parent / "dictionary"
    table = _characters(folder / "TSCharacters.txt")
    for name in ("TWVariantsRev.txt", "HKVariantsRev.txt"):
        for variant, standard in _characters(folder / name).items():
            table.setdefault(variant, table.get(standard, standard))
    return {ord(old): new for old, new in table.items() if old != new}


def _characters(path: Path) -> dict[str, str]:
    pairs = (line.split("\t") for line in path.read_text(encoding="utf-8").splitlines() if "\t" in line)
    chosen = {old: new.split(" ")[0] for old, new in pairs}
    return {old: new for old, new in chosen.items() if len(old) == len(new) == 1}


def fold(text: str) -> str:
    """Width, case, traditional forms and space made one; invisible characters dropped."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
        text = text.translate(traditional_table())
    else:
        text = text.lower()
    return SPACE.sub(" ", NOISE.sub(" ", text)).strip()


def tokens(folded: str) -> set[str]:
    found: set[str] = set()
    before_end, before = -1, ""
    for match in RUN.finditer(folded):
        run, kind = match.group(), match.lastindex
        if kind == 3:
            found.add(f"{SYMBOL}{ord(run):x}")
            continue
        found.update(_han(run) if kind == 1 else _word(run))
        if match.start() == before_end:
            found.add(before + run[0])
        before_end, before = match.end(), run[-1]
    return found


def _han(run: str):
    yield from map("".join, zip(run, run[1:], strict=False))
    yield run[-1]


def _word(run: str):
    return _tails(run) if len(run) <= 40 else (run[at : at + WORD] for at in range(len(run)))


@lru_cache(maxsize=100_000)
def _tails(word: str) -> tuple[str, ...]:
    return tuple(word[at : at + WORD] for at in range(len(word)))


def pieces(folded: str) -> list[Piece]:
    """The conditions of a query, all of which a matching text fulfils; [] for a query without any character."""
    found: dict[Piece, None] = {}
    runs = [match for match in RUN.finditer(folded[:MAX_QUERY]) if match.lastindex != 3]
    for at, match in enumerate(runs):
        touches_before = at > 0 and runs[at - 1].end() == match.start()
        touches_after = at + 1 < len(runs) and runs[at + 1].start() == match.end()
        if touches_before:
            found[Piece(folded[match.start() - 1 : match.start() + 1], False)] = None
        if len(match.group()) > 1 or not (touches_before or touches_after):
            found |= dict.fromkeys(_conditions(match.group(), is_han=match.lastindex == 1))
    if not found:
        found = dict.fromkeys(Piece(f"{SYMBOL}{ord(match.group()):x}", False) for match in RUN.finditer(folded[:MAX_QUERY]))
    return list(found)[:MAX_PIECES]


def _conditions(run: str, *, is_han: bool):
    if len(run) == 1:
        yield Piece(run, True)
    elif is_han:
        yield from (Piece(run[at : at + 2], False) for at in range(len(run) - 1))
    else:
        last = max(len(run) - WORD, 0)
        yield from (Piece(run[at : at + WORD], True) for at in dict.fromkeys([*range(0, last, WORD), last]))


def terms(folded: str) -> list[str]:
    """What to mark in a shown text: the words of the query, longest first."""
    words = {word.strip(".,;:!?()[]\"'、，。；：！？（）《》“”") for word in folded[:200].split(" ")}
    return sorted(filter(None, words), key=lambda word: (-len(word), word))[:16]
