"""The dialect of a delimited file: delimiter and quote, from its first lines; a second opinion where they do not agree."""

import csv

from quality.profiling import limits

DELIMITERS = [",", "\t", ";", "|"]
CERTAIN = 0.8  # share of first rows as wide as the header


def sniff(path, encoding: str, preferred: str = ",") -> tuple[str, str]:
    """(delimiter, quote): what gives most of the first rows the header's width; clevercsv is asked where few agree."""
    from quality.profiling.delimited import lines

    with open(path, encoding=encoding, errors="replace", newline="") as stream:
        head = [line for line, _number in zip(lines(stream), range(60), strict=False)]
    head = head[:-1] or head
    delimiter, agreeing = best(head, preferred)
    quote = '"'
    if any("'" in line for line in head) and not any('"' in line for line in head):
        other, share = best(head, preferred, "'")
        opening = sum(line.lstrip().startswith("'") or f"{other}'" in line for line in head)
        if share > agreeing and opening >= 0.5 * len(head):
            delimiter, agreeing, quote = other, share, "'"
    if agreeing < CERTAIN and len(head) > 3:
        second = _second_opinion("".join(head)[: limits.SCAN_CHARS])
        if second and second != delimiter and widths(head, second)[1] > agreeing:
            delimiter = second
    return delimiter, quote


def widths(head: list[str], delimiter: str, quote: str = '"') -> tuple[int, float]:
    found = [len(row) for row in csv.reader(head, delimiter=delimiter, quotechar=quote) if row]
    if not found or max(found) < 2:
        return 0, 0.0
    width = found[0] if found[0] > 1 else max(set(found), key=found.count)
    share = sum(item == width for item in found) / len(found)
    return width, share if found[0] > 1 else share / 2


def best(head: list[str], preferred: str, quote: str = '"') -> tuple[str, float]:
    chosen, score = preferred, (0.0, 0)
    for delimiter in sorted(DELIMITERS, key=lambda item: item != preferred):
        try:
            width, share = widths(head, delimiter, quote)
        except csv.Error:
            continue
        if width > 1 and (share, width) > score:
            chosen, score = delimiter, (share, width)
    return chosen, score[0]


def _second_opinion(text: str) -> str:
    import clevercsv

    try:
        found = clevercsv.Sniffer().sniff(text[:20_000], delimiters=DELIMITERS)
    except (clevercsv.exceptions.Error, ValueError, RecursionError):
        return ""
    return found.delimiter if found and found.delimiter in DELIMITERS else ""
