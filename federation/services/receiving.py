"""What each stream's events come to here: the function that applies a page of them, the caller holding the transaction."""

from federation.services.apply import apply_listings
from federation.services.receive_decisions import apply_decisions

# stream -> apply(peer, events, *, release, whole, damaged) -> Batch
APPLY = {"listings": apply_listings, "decisions": apply_decisions}
