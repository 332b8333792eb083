"""The streams of fed/1: who publishes which, to whom, and what their documents are called. Pure."""

from catalog.listing import SCHEMA

LISTINGS, ACKS, USAGE = "listings", "acks", "usage"
DECISIONS, VOCAB, PEERS = "decisions", "vocab", "peers"
FROM_BELOW = (LISTINGS, ACKS, USAGE)  # of a local or industry portal
FROM_NATIONAL = (DECISIONS, VOCAB, PEERS)
PUBLISHED = {"national": FROM_NATIONAL, "local": FROM_BELOW, "industry": FROM_BELOW}
TO_NATIONAL_ONLY = (ACKS, USAGE)
SCHEMAS = {LISTINGS: SCHEMA, DECISIONS: "decision/1", ACKS: "ack/1", USAGE: "usage/1", VOCAB: "vocab/1", PEERS: "peer/1"}


def role_of(portal_id: str) -> str:
    return "national" if portal_id == "cn" else "industry" if portal_id.startswith("ind-") else "local"


def read_of(peer_id: str, own_role: str) -> list[str]:
    """What a portal of `own_role` reads of a peer. Portals of one tier read each other's listings."""
    if role_of(peer_id) == "national":
        return list(FROM_NATIONAL)
    return list(FROM_BELOW) if own_role == "national" else [LISTINGS]


def serves(own_role: str, stream: str, peer_id: str) -> bool:
    """Whether a portal of `own_role` lets this peer read a stream of its own."""
    return stream in PUBLISHED[own_role] and (stream not in TO_NATIONAL_ONLY or role_of(peer_id) == "national")


def audience_of(stream: str, peer_id: str) -> str:
    """Decisions are numbered for each home portal by itself; the other streams are one feed for all their readers."""
    return peer_id if stream == DECISIONS else ""


def readers_of(stream: str, audience: str, peer_ids) -> set[str]:
    """Which of these peers read a feed."""
    if audience:
        return {audience} & set(peer_ids)
    return {peer_id for peer_id in peer_ids if stream not in TO_NATIONAL_ONLY or role_of(peer_id) == "national"}
