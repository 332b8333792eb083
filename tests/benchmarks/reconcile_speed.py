"""One wrong record among many: what it costs to find and repair it by digests. The owner's rows are simulated, the reader's are real.

.venv/bin/python -m tests.benchmarks.reconcile_speed [RECORDS]
"""

import json
import re
import sys
import time
from urllib.parse import unquote

from tests.benchmarks import setting


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    setting.start()
    from django.db import transaction

    from catalog import rows
    from federation import digests, protocol, signing
    from federation.models import Checkpoint, RemoteRecord
    from federation.protocol import GENESIS, Event, Snapshot, canonical, digest
    from federation.services import reconcile
    from federation.transport import Answer
    from tests.federation.fake_portal import FakePortal, Network

    portal = FakePortal()
    document = json.loads(canonical({"listing": portal.listing(), "quality": {}, "status": "listed"}))
    records = []
    for number in range(count):
        identifier = f"urn:dataset:cn-33:01939f00-0000-7000-8000-{number:012x}"
        records.append((identifier, "put", 1, digest(f"document {number}".encode())))
    wrong = records[count // 2][0]
    doc = canonical(document)
    records[count // 2] = (wrong, "put", 1, digest(doc))
    tree = digests.tree((op, identifier, rev, hash_) for identifier, op, rev, hash_ in records)
    buckets: dict[str, list] = {}
    for record in records:
        buckets.setdefault(digests.prefix_of(record[0]), []).append(list(record))

    def recon(prefix, depth):
        found = {"portal": portal.id, "stream": "listings", "epoch": "e1", "as_of": count, "prefix": prefix}
        if len(prefix) == digests.LEAF:
            return found | {"list": buckets.get(prefix, [])}
        level = min(len(prefix) + depth, digests.LEAF)
        nodes = {name: [node.records, node.digest] for name, node in tree.items() if len(name) == level and name.startswith(prefix)}
        return found | {"records": tree[prefix].records, "digest": tree[prefix].digest, "nodes": nodes}

    def handle(method, url, headers, body):
        if found := re.search(r"/recon\?prefix=([0-9a-f]*)&depth=([12])$", url):
            content = json.dumps(recon(found[1], int(found[2])), separators=(",", ":")).encode()
        else:
            after = unquote(re.search(r"after=(.*)&", url)[1])
            event = Event(count // 2 + 1, "put", wrong, portal.id, 1, digest(doc), "listing/1", "2026-11-25T00:00:00+00:00", doc)
            page = Snapshot(portal.id, "listings", "e1", count, 1, GENESIS, after, [event])
            content = protocol.encode_snapshot(page, True, lambda data: signing.attest(portal.signer, data))
        content = protocol.compress(content)
        request = signing.Request(method, url, headers, body)
        signed = signing.sign_response(200, content, request, portal=portal.id, protocol="1.1", signer=portal.signer)
        return Answer(200, {name.lower(): value for name, value in signed.items()} | {"content-encoding": "gzip"}, content)

    portal.handle = handle
    node = tree[""]
    with transaction.atomic():
        for start in range(0, count, 5000):
            batch = records[start : start + 5000]
            rows.insert(
                RemoteRecord,
                [
                    RemoteRecord(
                        peer=portal.peer, stream="listings", identifier=identifier, op=op, rev=rev, hash=hash_, doc=b"{}", seq=start + place + 1
                    )
                    for place, (identifier, op, rev, hash_) in enumerate(batch)
                ],
            )
        RemoteRecord.objects.filter(identifier=wrong).update(hash="f" * 64)
        Checkpoint.objects.update(epoch="e1", seq=count, records=node.records, root=node.digest)
    reconcile._damaged_here = lambda peer, stream: set()  # the reader's catalogue rows are not made here
    network = Network(portal)
    print(setting.machine(), "\n", flush=True)
    print("| records | wrong | found and repaired | requests | bytes | seconds | CPU s |\n|---|---|---|---|---|---|---|", flush=True)
    for name in ("one wrong", "none wrong"):
        begun, worked = time.perf_counter(), time.process_time()
        report = reconcile.reconcile(portal.peer, "listings")
        took, cpu = time.perf_counter() - begun, time.process_time() - worked
        found = f"{len(report.differing)} and {len(report.repaired)}"
        print(f"| {count:,} | {name} | {found} | {report.requests} | {report.bytes:,} | {took:.1f} | {cpu:.1f} |", flush=True)
        assert report.agrees and report.requests <= 4 and report.bytes <= 64 * 1024, report
    network.close()


if __name__ == "__main__":
    main()
