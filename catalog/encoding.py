"""Which encoding a text file has, and whether the whole of it holds to that.

The ladder: byte order mark, strict UTF-8, then multi-byte Chinese, Japanese and Korean by the share of common characters,
then single-byte sets with faust-cchardet as second opinion. The answer is tried on the whole file; bad bytes are counted.
"""

import codecs
import io
from dataclasses import dataclass

HEAD = 256 * 1024
BLOCK = 1024 * 1024
BOMS = [
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
]
# Frequent Han characters, simplified and traditional: they fill real text and seldom come out of a wrong decoding.
COMMON = frozenset(
    "的一是不了在有人我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成方多经么去法学如都同"
    "现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实日军者意无力它与长把机十民第公此已工使情明性知全三又关点正业外将两高间由问很最"
    "重并物手应战向头文体政美相见被利什二等产或新己制身果加西斯月话合回特代内信表化老给世位次度门任常先海通教儿原东声提立及比员解水名真论处走义各"
    "入几口认条平系气题活尔更别打女变四神总何电数安少报才结反受目太量再感建务做接必场件计管期市直德资命山金指克许统区保至队形社便空决治展马科司五"
    "基眼书非则听白却界达光放强即像难且权思王象完设式色路记南品住告类求据程北边死张该交规万取拉格望觉术领共确传师观清今切院让识候带导争运笔省县乡"
    "镇街村城州江河湖林石花龙港宁广州浙福建四川湖贵云陕甘青海内蒙古西藏疆津京沪渝辖编码称称办事处委会居开区"
    "這個們來時國說會過發後裡經學現當沒動還進開樣長機與無將兩間問應戰體見產業義關點電數報結東聲題統區隊決馬書認條氣變總務場計類據程邊張該規萬萬覺術領傳師觀讓識帶導爭運筆維基百科由協護"
)

HANGUL = frozenset(
    "이다는을의에가고하지로한어은사도기를아리자인시서대나정해스수일과들그있것여부상전보원구제라주연만안니면요장동성조비적으위"
    "오신국공유게했되됩세우학생습"
)
WESTERN = frozenset("àâäçéèêëîïôöùûüßñáíóúæøåÀÂÄÇÉÈÊËÎÏÔÖÙÛÜÑÁÍÓÚÆØÅãõÃÕ°«»¿¡ºª§£\xa0²³µ·")


@dataclass
class Encoding:
    name: str  # Python codec
    bad_bytes: int = 0
    first_bad_byte: int = 0  # counted from 1
    first_bad_line: int = 0
    confidence: str = "certain"  # certain, likely, guess


def opened(source):
    """A binary stream over a path or over bytes."""
    return io.BytesIO(source) if isinstance(source, bytes) else open(source, "rb")


def detect(path) -> Encoding:
    """The encoding of a file (path, or its bytes), tried on the whole of it."""
    with opened(path) as stream:
        head = stream.read(HEAD)
    for mark, name in BOMS:
        if head.startswith(mark):
            return verified(path, name, "certain")
    if wide := wide_name(head):
        return verified(path, wide, "likely")
    if decodes(path, "utf-8"):
        return Encoding("utf-8")
    return _legacy(path, head)


def wide_name(head: bytes) -> str:
    """UTF-16 without a mark: zeros stand in every second byte only, and the text that comes out is plausible."""
    head = head[: len(head) // 2 * 2]
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if len(head) < 8 or max(even, odd) * 50 < len(head) or min(even, odd) * 20 > max(even, odd):
        return ""
    name = "utf-16-le" if odd > even else "utf-16-be"
    text = head.decode(name, "replace")
    usual = sum(char.isprintable() or char in "\r\n\t" for char in text)
    return name if usual >= 0.95 * len(text) else ""


def _legacy(path, head: bytes) -> Encoding:
    nearly = verified(path, "utf-8", "likely")
    sequences = sum(byte >= 0xC2 for byte in head)
    if nearly.bad_bytes and nearly.bad_bytes * 20 <= sequences and _valid_sequences(head) > nearly.bad_bytes * 4:
        return nearly  # UTF-8 with a few spoiled characters
    scored = sorted(
        ((score, name) for name in ("gb18030", "big5", "cp949", "shift_jis", "euc_jp") if (score := _plausible(head, name)) > 0), reverse=True
    )
    for score, name in scored:
        if score < 0.2:
            break
        found = verified(path, name, "likely")
        if found.bad_bytes * 200 <= len(head):
            return _narrowest(path, found)
    return verified(path, _single_byte(head), "guess")


def _valid_sequences(head: bytes) -> int:
    return sum(ord(char) > 127 and char != "\ufffd" for char in head.decode("utf-8", "replace"))


def _plausible(head: bytes, name: str) -> float:
    """Share of the non-ASCII characters that real text in this encoding is made of; 0 where it does not decode."""
    text = head.decode(name, "replace")
    chars = [char for char in text if ord(char) > 127]
    if not chars or chars.count("\ufffd") > 1 + len(chars) // 50:
        return 0.0
    if name == "cp949":
        return sum(char in HANGUL for char in chars) / len(chars)
    if name in ("shift_jis", "euc_jp"):
        kana = sum("\u3040" <= char <= "\u30ff" for char in chars)
        return (kana + sum(char in COMMON for char in chars)) / len(chars) if kana * 5 > len(chars) else 0.0
    common = sum(char in COMMON or char in "，。、；：？！“”《》（）" for char in chars)
    first = sum(_first_level(char, name) for char in chars)
    return (common + 0.3 * first) / len(chars)


def _first_level(char: str, name: str) -> bool:
    """In the block of the more frequent characters: rows 16–55 of GB 2312, leads A4–C6 of Big5."""
    try:
        raw = char.encode("gbk" if name == "gb18030" else name)
    except UnicodeEncodeError:
        return False
    if len(raw) != 2:
        return False
    return 0xB0 <= raw[0] <= 0xD7 and raw[1] >= 0xA1 if name == "gb18030" else 0xA4 <= raw[0] <= 0xC6


def _narrowest(path, found: Encoding) -> Encoding:
    """GBK where GB18030's four-byte part is not used."""
    if found.name == "gb18030" and not found.bad_bytes and decodes(path, "gbk"):
        return Encoding("gbk", confidence=found.confidence)
    return found


def _single_byte(head: bytes) -> str:
    import cchardet

    high = [byte for byte in head if byte >= 0x80]
    guess = (cchardet.detect(head).get("encoding") or "").lower()
    c1 = sum(byte < 0xA0 for byte in high)
    western = sum(char in WESTERN for char in head.decode("latin-1") if ord(char) > 127)
    if not c1 and western >= 0.95 * len(high):
        return "latin-1"
    if not c1 and (len(high) < 12 or guess in ("", "iso-8859-1", "windows-1252", "iso-8859-15", "iso-8859-9")):
        return "latin-1"
    try:
        codecs.lookup(guess)
    except LookupError:
        return "cp1252" if c1 else "latin-1"
    if guess.startswith(("utf", "gb", "big5", "ascii", "hz")):
        return "cp1252" if c1 else "latin-1"
    return guess


def decodes(path, name: str) -> bool:
    """Whether the whole file decodes strictly."""
    decoder = codecs.getincrementaldecoder(name)("strict")
    try:
        with opened(path) as stream:
            while block := stream.read(BLOCK):
                decoder.decode(block)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def verified(path, name: str, confidence: str) -> Encoding:
    """Decode the whole file; what does not decode is counted with the line of the first."""
    if decodes(path, name):
        return Encoding(name, confidence=confidence)
    counter = {"bad": 0, "line": 0, "byte": 0}
    lines, before = 1, 0

    def count(error):
        counter["bad"] += max(1, error.end - error.start)
        if not counter["line"]:  # error.object begins with what was pending of the block before
            counter["line"] = lines + error.object[: error.start].count(b"\n")
            counter["byte"] = before + error.start + 1
        return "\ufffd", error.end

    codecs.register_error("jimu-count", count)
    decoder = codecs.getincrementaldecoder(name)("jimu-count")
    with opened(path) as stream:
        while block := stream.read(BLOCK):
            decoder.decode(block)
            lines += block.count(b"\n")
            before = stream.tell() - len(decoder.getstate()[0])
        decoder.decode(b"", final=True)
    return Encoding(name, counter["bad"], counter["byte"], counter["line"], confidence)
