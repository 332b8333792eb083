"""Identifiers: time-ordered UUIDs, dataset URNs, and the unified social credit code (GB 32100-2015)."""

import re
import uuid

import uuid_utils

URN = re.compile(r"urn:dataset:(?P<portal>cn|cn-[0-9]{2,6}|ind-[a-z0-9][a-z0-9-]{0,40}):(?P<uid>[0-9a-f-]{36})")
USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def new_uid() -> uuid.UUID:
    """A UUID of version 7 (RFC 9562): sorts by the time it was made."""
    return uuid.UUID(int=uuid_utils.uuid7().int)


def dataset_urn(portal_id: str, uid: uuid.UUID | str) -> str:
    return f"urn:dataset:{portal_id}:{uid}"


def parse_urn(identifier: str) -> tuple[str, uuid.UUID]:
    """(portal id, uid) of a dataset identifier; ValueError when it is none."""
    match = URN.fullmatch(identifier)
    if not match:
        raise ValueError(f"{identifier!r} is not of the form urn:dataset:<portal>:<uuid>")
    return match["portal"], uuid.UUID(match["uid"])


def is_valid_uscc(code: str) -> bool:
    """18 characters without I O S V Z; the last makes sum(value * 3^i) a multiple of 31 (GB 32100-2015, 附录 A)."""
    if len(code) != 18 or any(char not in USCC_ALPHABET for char in code):
        return False
    total = sum(USCC_ALPHABET.index(char) * pow(3, i, 31) for i, char in enumerate(code[:17]))
    return USCC_ALPHABET[(31 - total % 31) % 31] == code[17]
