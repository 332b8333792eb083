"""What each stream's events come to here: the function that applies a page of them, the caller holding the transaction."""

from federation import feeds
from federation.services.apply import apply_listings
from federation.services.receive_acks import apply_acks
from federation.services.receive_decisions import apply_decisions
from federation.services.receive_reference import apply_peers, apply_vocab
from federation.services.usage import apply_usage

# stream -> apply(peer, events, *, release, whole, damaged) -> Batch
APPLY = {
    feeds.LISTINGS: apply_listings,
    feeds.ACKS: apply_acks,
    feeds.USAGE: apply_usage,
    feeds.DECISIONS: apply_decisions,
    feeds.VOCAB: apply_vocab,
    feeds.PEERS: apply_peers,
}
