"""State of the exchange between portals (fed/1): who, what we publish, what we received, what was decided."""

from federation.models.decisions import Decision, Nonce, Ticket
from federation.models.duplicates import Conflict, DuplicateKey, Scan
from federation.models.peers import Invitation, OwnKey, Peer, PeerKey
from federation.models.received import Checkpoint, Quarantine, RemoteRecord, SyncRun
from federation.models.streams import Bucket, Change, Delivery, FeedState
from federation.models.usage import DailyUsage

__all__ = [
    "Bucket",
    "Change",
    "Checkpoint",
    "Conflict",
    "DailyUsage",
    "Decision",
    "Delivery",
    "DuplicateKey",
    "FeedState",
    "Invitation",
    "Nonce",
    "OwnKey",
    "Peer",
    "PeerKey",
    "Quarantine",
    "RemoteRecord",
    "Scan",
    "SyncRun",
    "Ticket",
]
