"""A query as words: what kind of word each is, how much it says, and whether the whole is a sentence.

Words come from rjieba with the lexicon's own ones added; they serve expansion and weighing, never recall.
"""

import re
from dataclasses import dataclass

from catalog.search.text import CJK

LONGEST = 120  # characters of a query that are taken apart into words
MOST = 12  # words that are looked at
CHUNK = re.compile(rf"[{CJK}]+|[^\s{CJK}]+")
HAN = re.compile(rf"[{CJK}]+")
EDGE = ".,;:!?()[]{}<>\"'`~|*^=+、，。；：！？（）《》“”‘’【】—…·/\\"
# How much a word says, by its part of speech; the first letter decides where the whole tag is not named.
SAYS = {"n": 1.0, "e": 1.0, "i": 1.0, "l": 1.0, "j": 1.0, "vn": 0.9, "v": 0.5, "a": 0.3, "b": 0.6, "s": 0.3, "t": 0.3, "m": 0.3, "q": 0.3, "new": 0.7}
UNKNOWN = 0.8
EMPTY_TAGS = set("r u c p y o f d h".split())
ENGLISH_EMPTY = frozenset(
    "a an and any are as at be by can could data dataset datasets do does find for from get give have how i in is it list looking me my need of on "
    "or please search show some that the there these this to want was we what where which who with".split()
)
# Verbs and words of asking and of speaking about data: they tell that a sentence is spoken, not what it is about.
ASKING = frozenset(
    (
        "想 找 看 要 有 是 去 打 来 到 用 做 给 让 请 问 查 求 能 会 可 得 带 说 想要 想看 想找 想知道 想了解 想查 知道 了解 查找 查询 查看 "
        "寻找 搜索 搜寻 检索 请问 需要 希望 可以 能够 有没有 有无 是否 哪里 哪些 哪个 哪 什么 怎么 怎样 如何 多少 几个 为什么 目前 现在 最近 "
        "历年 历史 所有 全部 各 各种 各类 每个 每 一些 一份 一个 附近 周边 关于 有关 相关 以及 或者 或 和 与 及 跟 等 的 了 吗 呢 吧 啊 在 对 "
        "为 被 把 从 我 我们 你 您 他 她 它 他们 大家 家里 人 前 后 时候 地方 东西 方面 进行 造成 导致 属于 包括 包含 提供 使用 应该 具体 "
        "情况 实际 前想 想有 有人 没有 不 都 也 就 还 很 更 最 该 这 那 这些 那些 哪儿 去哪里 在哪里 在哪 去哪 带去"
    ).split()
)
# Words that nearly every dataset could carry: wished for, not demanded.
SOFT = frozenset(
    "数据 资料 数据集 资料集 数据库 资料库 信息 资讯 讯息 记录 档案 文件 资源 内容 开放数据 公开数据 开放资料 数据资源 data dataset datasets".split()
)


@dataclass(frozen=True)
class Word:
    text: str
    weight: float  # of 1
    is_soft: bool = False


def is_han(text: str) -> bool:
    return bool(HAN.fullmatch(text))


def read(folded: str, lexicon) -> tuple[list[Word], bool]:
    """(the words that say something, in their order; whether this is a sentence)."""
    found: list[Word] = []
    dropped = total = 0
    chunks = CHUNK.findall(folded[:LONGEST])
    at = 0
    while at < len(chunks):
        known, taken = _phrase(chunks, at, lexicon)
        if known:
            found.append(Word(known, 1.0, known in SOFT))
            total, at = total + 1, at + taken
            continue
        chunk = chunks[at]
        if HAN.match(chunk):
            words = _han(chunk, lexicon)
            total += len(words)
            kept = [word for word in words if word.weight]
            dropped += len(words) - len(kept)
            found += kept
        for text in () if HAN.match(chunk) else _latin(chunk, lexicon):
            total += 1
            if text in ENGLISH_EMPTY and text not in SOFT:
                dropped += 1
            else:
                found.append(Word(text, 1.0, text in SOFT or len(text) == 1 < len(chunk)))
        at += 1
    is_sentence = (dropped >= 1 and total >= 4) or (len(chunks) == 1 and len(found) >= 5)
    unique = {word.text: word for word in reversed(found)}
    return list(reversed(unique.values()))[:MOST], is_sentence


def _phrase(chunks: list[str], at: int, lexicon) -> tuple[str, int]:
    """The longest run of chunks from here that the lexicon knows as one: air quality, pm2.5."""
    for taken in range(min(4, len(chunks) - at), 0, -1):
        text = " ".join(chunk.strip(EDGE) for chunk in chunks[at : at + taken])
        if lexicon.knows(text):
            return text, taken
    return "", 0


def _latin(chunk: str, lexicon) -> list[str]:
    """A chunk of other letters; one with signs in it by its parts where the lexicon knows one of them: e-invoice."""
    text = chunk.strip(EDGE)
    parts = [part for part in re.split(r"[-_/.]+", text) if part]
    return parts if len(parts) > 1 and any(map(lexicon.knows, parts)) else [text] if text else []


def _han(run: str, lexicon) -> list[Word]:
    words: list[Word] = []
    for text, tag in lexicon.tagged(run):
        weight = _weight(text, tag)
        if len(text) == 1 and weight and words and words[-1].weight and tag[0] not in "vrpcdu":
            words[-1] = Word(words[-1].text + text, max(words[-1].weight, weight))  # 低收入 + 户
        else:
            words.append(Word(text, weight, text in SOFT))
    return words


def _weight(text: str, tag: str) -> float:
    if text in ASKING or tag[0] in EMPTY_TAGS:
        return 0.0
    if len(text) == 1 and tag[0] in "vam":
        return 0.0
    return SAYS.get(tag, SAYS.get(tag[0], UNKNOWN))
