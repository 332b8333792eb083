"""From a typed query to what is looked for: one plan for every engine, so that all find the same rows.

strict    every piece of what was typed (the recall contract);
precise   strict, or every word said as typed or in another way the lexicon or the vocabulary knows;
relaxed   enough of the words, weighed by how rare they are: only where a sentence was typed or the precise match has next to nothing.

Numbers that decide are counts over the whole public catalogue, whatever filters the query has: filters narrow one fixed set.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from catalog.search import vocabulary
from catalog.search import words as reading
from catalog.search.expressions import Expression, every, phrase, some
from catalog.search.lexicon import FACTORS, MOST_OPTIONS, Lexicon, Option, lexicon
from catalog.search.query import Expansion, SearchQuery
from catalog.search.text import fold, pieces, terms
from catalog.search.vocabulary import Vocabulary

FEW = 20  # precise matches, a page of them; with fewer, words are let go
KNOWN, KNOWN_OF_SENTENCE = 0.6, 0.45  # share of the query's weight that the catalogue must know at all before words are let go
# Share of the weight a row must hold: of words apart by spaces, of words written as one, of a sentence.
ENOUGH, ENOUGH_OF_COMPOUND, ENOUGH_OF_SENTENCE = 0.4, 0.5, 0.33
RELAXED_WORDS = 7
SOFTNESS = 0.3
PART = 0.5  # how much a part of a word counts
KINDS = frozenset("所院站厂场店室馆园区市县省镇乡村部局处会社者员师家生率量费额值数表图册号类型性化业学法证卡网机器车路线口点位")
MEANT = 0.95  # how much what was meant counts, of 1 for what was typed
MOST_MARKS = 40
STEMS = (("ies", "y"), ("sses", "ss"), ("es", ""), ("s", ""), ("ing", ""), ("ed", ""))


class Probe(Protocol):
    """What planning asks of an engine."""

    def count(self) -> int: ...

    def counts(self, expressions: Sequence[Expression]) -> list[int]: ...


@dataclass(frozen=True)
class Concept:
    """One word of the query and the ways to say it. `weight`: its share of the query, all together 1."""

    typed: str
    options: tuple[Option, ...]
    weight: float = 0.0
    is_soft: bool = False

    def expression(self) -> Expression | None:
        return some(filter(None, (held(option) for option in self.options)))

    def by_factor(self) -> list[tuple[float, Expression]]:
        """What to find for each worth, the highest first."""
        groups = itertools.groupby(sorted(self.options, key=lambda option: -option.factor), key=lambda option: option.factor)
        found = [(factor, some(filter(None, map(held, options)))) for factor, options in groups]
        return [(factor, expression) for factor, expression in found if expression is not None]


@dataclass(frozen=True)
class Plan:
    folded: str
    strict: Expression | None = None  # None: every row matches
    precise: Expression | None = None
    match: Expression | None = None
    concepts: tuple[Concept, ...] = ()
    expansions: list[Expansion] = field(default_factory=list)
    did_you_mean: str = ""
    is_relaxed: bool = False


def held(option: Option) -> Expression | None:
    """A short Latin word that nobody typed must end a word of the text: `ai` is not meant to find `maintain`."""
    expression = phrase(option.text)
    if option.kind != "typed" and option.text.isascii() and len(option.text) <= 3:
        return every(piece._replace(is_prefix=False) for piece in pieces(option.text))
    return expression


def plan_of(query: SearchQuery, probe: Probe) -> Plan:
    """With the words this portal knows now."""
    if query.exact:
        return literal(fold(query.text))
    known = lexicon()
    return plan(query.text, probe, known, lambda: vocabulary.holder.get(known))


def plan(text: str, probe: Probe, lexicon: Lexicon, words_of_catalogue) -> Plan:
    """`words_of_catalogue` is a function that gives the Vocabulary: it is asked for only where a word is not known."""
    folded = fold(text)
    strict = phrase(folded)
    if strict is None:
        return Plan(folded)
    found, is_sentence = reading.read(folded, lexicon)
    if not found:
        return literal(folded)
    most = MOST_OPTIONS if len(found) <= 4 else MOST_OPTIONS // 2
    concepts = [Concept(word.text, _options(word.text, lexicon)[:most], word.weight, word.is_soft) for word in found]
    whole, concepts, each = _living(strict, [concept for concept in concepts if concept.expression() is not None], probe)
    mended: dict[str, str] = {}
    if not whole and words_of_catalogue is not None:
        concepts, each, mended = _mended(concepts, each, probe, lexicon, words_of_catalogue)
    corrected = _corrected(folded, mended)
    if corrected and any(reading.is_han(word) for word in mended) and len(concepts) + len(mended) > 1:
        meant = plan(corrected, probe, lexicon, None)
        if meant.match is not None and any(probe.counts([meant.match])):
            slips = [Expansion("spelling", wrong, right) for wrong, right in mended.items()]
            return replace(meant, did_you_mean=corrected, expansions=[*slips, *meant.expansions])
    concepts = _weighed(concepts, each, probe.count())
    precise = _precise(strict, concepts)
    made = Plan(folded, strict, precise, precise, tuple(concepts), did_you_mean=corrected)
    made = _relaxed(made, each, probe, is_sentence) if len(concepts) > 1 else made
    if not whole and not any(probe.counts([made.match])):
        return literal(folded)
    return replace(made, expansions=_expansions(made))


def _options(word: str, lexicon: Lexicon) -> tuple[Option, ...]:
    return (typed(word), *stems(word), *lexicon.options(word))


def _living(strict: Expression | None, concepts: list[Concept], probe: Probe) -> tuple[int, list[Concept], list[int]]:
    """(rows of `strict`, the concepts without the options that no row has, rows of each concept); one question to the engine."""
    options = [option for concept in concepts for option in concept.options]
    asked = [*(concept.expression() for concept in concepts), *map(held, options)]
    places = [at for at, expression in enumerate(asked) if expression is not None]
    counts = probe.counts([strict, *(asked[at] for at in places)] if strict else [asked[at] for at in places])
    whole, counts = (counts[0], counts[1:]) if strict else (0, counts)
    found = dict(zip(places, counts, strict=True))
    alive = {option for at, option in enumerate(options, len(concepts)) if found.get(at)}
    kept = [replace(concept, options=tuple(filter(alive.__contains__, concept.options)) or (typed(concept.typed),)) for concept in concepts]
    return whole, kept, [found.get(at, 0) for at in range(len(concepts))]


def literal(folded: str) -> Plan:
    """Only what was typed, in no other words."""
    strict = phrase(folded)
    return Plan(folded) if strict is None else Plan(folded, strict, strict, strict, (Concept(folded, (typed(folded),), 1.0),))


def typed(text: str) -> Option:
    return Option(text, "typed", FACTORS["typed"])


def stems(word: str) -> list[Option]:
    """A light stem of an English word, as the beginning of a word: policies → policy, accidents → accident."""
    if word.isascii() and word.isalpha() and len(word) >= 5:
        for ending, instead in STEMS:
            if word.endswith(ending) and len(word) - len(ending) >= 3:
                return [Option(word[: -len(ending)] + instead, "stem", 0.95)]
    return []


def _precise(strict: Expression, concepts: list[Concept]) -> Expression:
    demanded = [concept for concept in concepts if not concept.is_soft] or concepts
    together = every(filter(None, (concept.expression() for concept in demanded)))
    return some(filter(None, (strict, together)))


def _mended(concepts: list[Concept], each: list[int], probe: Probe, lexicon: Lexicon, words_of_catalogue):
    """Words that no row has get what they may have meant, if some row has that."""
    unknown = [at for at, count in enumerate(each) if not count]
    if not unknown:
        return concepts, each, {}
    known: Vocabulary = words_of_catalogue()
    tried = []
    for at in unknown:
        options = _meant(concepts[at].typed, known, lexicon) or _parts(concepts[at].typed, known, lexicon)
        also = [replace(other, factor=other.factor * MEANT) for option in options[:1] for other in lexicon.options(option.text)]
        tried.append(replace(concepts[at], options=(*concepts[at].options, *options, *also)[: MOST_OPTIONS + 1]))
    _whole, tried, counts = _living(None, tried, probe)
    concepts, each, mended = list(concepts), list(each), {}
    for at, concept, count in zip(unknown, tried, counts, strict=True):
        concepts[at], each[at] = concept, count
        if found := [option for option in concept.options if option.kind in ("spelling", "pinyin")]:
            mended[concept.typed] = found[0].text
    return concepts, each, mended


def _parts(word: str, known: Vocabulary, lexicon: Lexicon) -> list[Option]:
    """A long word in two parts; a shorter one without a syllable: 避难所 → 避难, 出车祸 → 车祸 and what the lexicon says for it."""
    if not reading.is_han(word) or not 3 <= len(word) <= 8:
        return []
    parts = [part for part in lexicon.parts(word) if 1 < len(part) < len(word)]
    halves = [f"{left} {right}" for left in parts for right in parts if left + right == word and known.knows(left) and known.knows(right)]
    if halves:
        return [Option(halves[0], "sentence", PART)]
    for part in parts:
        if len(part) == len(word) - 1 and (lexicon.knows(part) or (known.knows(part) and word[:-1] == part and word[-1] in KINDS)):
            others = [replace(other, factor=PART * other.factor) for other in lexicon.options(part)]
            return [Option(part, "sentence", PART), *others][:MOST_OPTIONS]
    return []


def _meant(word: str, known: Vocabulary, lexicon: Lexicon) -> list[Option]:
    """A word that a dictionary has is no slip, nor is an abbreviation."""
    if not reading.is_han(word):
        sounds = [Option(other, "pinyin", MEANT) for other in known.of_pinyin(word)]
        return sounds or [Option(other, "spelling", MEANT) for other in known.like_latin(word)]
    if short := known.abbreviated(word):
        return [Option(other, "synonym", MEANT) for other in short]
    if lexicon.is_word(word):
        return []
    mended = known.like_han(word) or [one for one in [known.mend(word)] if one]
    return [Option(other, "spelling", MEANT) for other in mended]


def _weighed(concepts: list[Concept], each: list[int], total: int) -> list[Concept]:
    rarity = [
        concept.weight * math.log(1 + (total + 1) / max(count, 1)) * (0.3 if concept.is_soft else 1)
        for concept, count in zip(concepts, each, strict=True)
    ]
    whole = sum(rarity) or 1.0
    return [replace(concept, weight=round(value / whole, 6)) for concept, value in zip(concepts, rarity, strict=True)]


def _relaxed(plan: Plan, each: list[int], probe: Probe, is_sentence: bool) -> Plan:
    known = [concept for concept, count in zip(plan.concepts, each, strict=True) if count]
    if sum(map(_sure, known)) < (KNOWN_OF_SENTENCE if is_sentence else KNOWN) or not known:
        return plan
    (precise,) = probe.counts([plan.precise])
    if precise >= FEW:
        return plan
    enough = ENOUGH_OF_SENTENCE if is_sentence else ENOUGH if " " in plan.folded else ENOUGH_OF_COMPOUND
    strongest = sorted(known, key=lambda concept: -concept.weight)[:RELAXED_WORDS]
    parts = [every(concept.expression() for concept in chosen) for chosen in _sufficient(strongest, enough)]
    match = some([plan.precise, *parts])
    return replace(plan, match=match, is_relaxed=True) if parts else plan


def _sure(concept: Concept) -> float:
    """Its weight, less where only a part of the word or a narrower one was found."""
    return concept.weight * max(option.factor for option in concept.options)


def _sufficient(concepts: list[Concept], enough: float) -> list[tuple[Concept, ...]]:
    """The smallest sets of words that weigh enough together."""
    found: list[tuple[Concept, ...]] = []
    for size in range(1, len(concepts) + 1):
        for chosen in itertools.combinations(concepts, size):
            if sum(concept.weight for concept in chosen) >= enough and not any(set(other) <= set(chosen) for other in found):
                found.append(chosen)
    return found


def _corrected(folded: str, mended: dict[str, str]) -> str:
    for wrong, right in mended.items():
        folded = folded.replace(wrong, right)
    return folded if mended else ""


def _expansions(plan: Plan) -> list[Expansion]:
    found = [
        Expansion(option.kind, concept.typed, option.text)
        for concept in plan.concepts
        for option in concept.options
        if option.kind not in ("typed", "stem")
    ]
    if plan.is_relaxed:
        found.append(Expansion("sentence", plan.folded[:200], " ".join(concept.typed for concept in plan.concepts)))
    return found


def told(plan: Plan) -> dict:
    """What a SearchResult says of the plan; `terms` are what to mark in a shown text: the words as typed, then the others."""
    said = [option.text for concept in plan.concepts for option in concept.options]
    marks = [*terms(plan.folded), *sorted(said, key=lambda word: -len(word))]
    return {
        "terms": list(dict.fromkeys(marks))[:MOST_MARKS],
        "expansions": plan.expansions,
        "did_you_mean": plan.did_you_mean,
        "is_relaxed": plan.is_relaxed,
    }
