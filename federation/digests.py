"""Digests of a feed's current state: what two portals compare to find a record that differs. Pure.

A record counts as SHA-256 of "<op> <id> <rev> <hash>" in ASCII. The digest of a set is the exclusive or of its records, so that a
record is put in or taken out without reading the others, and a node of the tree is the exclusive or of its children. The bucket of
an identifier is the first 12 bits of SHA-256 of it: three hexadecimal digits, one for each step of the descent.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

BUCKETS = 4096
LEAF = 3  # hexadecimal digits of a bucket's prefix
NOTHING = "0" * 64


def bucket_of(identifier: str) -> int:
    return int.from_bytes(hashlib.sha256(identifier.encode()).digest()[:2], "big") >> 4


def prefix_of(identifier: str) -> str:
    return f"{bucket_of(identifier):03x}"


def record(op: str, identifier: str, rev: int, hash_: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{op} {identifier} {rev} {hash_}".encode()).digest(), "big")


@dataclass(slots=True)
class Node:
    """How many records, and their digest as a number."""

    records: int = 0
    value: int = 0

    def put(self, op: str, identifier: str, rev: int, hash_: str) -> None:
        self.records += 1
        self.value ^= record(op, identifier, rev, hash_)

    def take(self, op: str, identifier: str, rev: int, hash_: str) -> None:
        self.records -= 1
        self.value ^= record(op, identifier, rev, hash_)

    def add(self, other: "Node") -> None:
        self.records += other.records
        self.value ^= other.value

    @property
    def digest(self) -> str:
        return f"{self.value:064x}"

    @classmethod
    def of(cls, records: int, digest: str) -> "Node":
        return cls(records, int(digest or NOTHING, 16))


def tree(rows: Iterable[tuple[str, str, int, str]]) -> dict[str, Node]:
    """Nodes by prefix, from the root "" to the buckets, of (op, id, rev, hash)."""
    buckets: dict[int, Node] = {}
    for op, identifier, rev, hash_ in rows:
        buckets.setdefault(bucket_of(identifier), Node()).put(op, identifier, rev, hash_)
    return grown(buckets)


def grown(buckets: dict[int, Node]) -> dict[str, Node]:
    """The nodes above the buckets, and these."""
    nodes: dict[str, Node] = {"": Node()}
    for number, bucket in buckets.items():
        prefix = f"{number:03x}"
        for length in range(LEAF + 1):
            nodes.setdefault(prefix[:length], Node()).add(bucket)
    return nodes
