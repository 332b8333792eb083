"""Near duplicates by MinHash (rensa), each hit confirmed by the exact Jaccard similarity of five-character shingles."""

from quality.profiling.table import finding

SIMILAR = 0.7
SHINGLE, HASHES, BANDS = 5, 128, 32  # 32 bands of 4: a pair at .7 is missed once in a thousand
MOST = 1_500  # characters of a text that are compared
CHECKED = 200  # candidates of one text that are confirmed


def look(texts: list[str], places: list[str]) -> tuple[dict, list[dict]]:
    """Texts that resemble an earlier one without equalling it. Equal texts count once: they are duplicates, not near ones."""
    from rensa import RMinHash, RMinHashLSH

    first = {}
    for text, place in zip(texts, places, strict=True):
        text = "".join(text.split())[:MOST]
        if len(text) >= 2 * SHINGLE and (text not in first or _order(place) < _order(first[text])):
            first[text] = place
    chosen = sorted(first.items(), key=lambda item: (_order(item[1]), item[0]))
    index = RMinHashLSH(threshold=SIMILAR, num_perm=HASHES, num_bands=BANDS)
    twins, kept = [], {}
    for number, (text, place) in enumerate(chosen):
        pieces = {text[start : start + SHINGLE] for start in range(len(text) - SHINGLE + 1)}
        digest = RMinHash(num_perm=HASHES, seed=42)
        digest.update(sorted(pieces))
        twin = next((other for other in sorted(index.query(digest))[:CHECKED] if _jaccard(pieces, kept[other]) >= SIMILAR), None)
        index.insert(number, digest)
        kept[number] = pieces
        if twin is not None:
            twins.append((place, chosen[twin][1]))
    out = {"n": len(chosen), "count": len(twins), "examples": [{"place": place, "twin": twin} for place, twin in twins[:20]]}
    if not twins:
        return out, []
    where = "、".join(place for place, _twin in twins[:5])
    return out, [finding("0208", "near_duplicates", "warning", f"第 {where} 行", f"{len(twins)} 条文本与前面的文本近似重复。")]


def _order(place: str):
    return (int(place), "") if place.isdigit() else (0, place)


def _jaccard(left: set, right: set) -> float:
    shared = len(left & right)
    return shared / (len(left) + len(right) - shared)
