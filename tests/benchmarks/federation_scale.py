"""The exchange at scale, with simulated feeds and the real puller.

    python tests/benchmarks/federation_scale.py [--backfill 100000] [--portals 1000] [--dead 200] [--seconds 60]

On the empty database that DATABASE_URL names, or an SQLite file. Prints a table: backfill of one portal, unchanged looks, and how late
living portals are looked at without and with dead ones.
"""

import argparse
import os
import subprocess
import sys
import time
from contextlib import contextmanager

from tests.benchmarks import setting


@contextmanager
def simulated(*arguments: str):
    command = [sys.executable, "-m", "tests.federation.simulator", *arguments]
    process = subprocess.Popen(command, cwd=setting.ROOT, stdout=subprocess.PIPE, text=True)
    try:
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.kill()
        process.wait()


def clear() -> None:
    from catalog.models import Portal
    from federation.models import Checkpoint, Peer, PeerKey, SyncRun

    for model in (SyncRun, Checkpoint, PeerKey):
        model.objects.filter(peer_id__startswith="ind-p").delete()
    Peer.objects.filter(pk__startswith="ind-p").delete()
    Portal.objects.filter(pk__startswith="ind-p").delete()


def backfill(count: int) -> None:
    """One worker, one portal, from nothing."""
    from catalog.models import Dataset
    from federation.models import Checkpoint, SyncRun
    from federation.services import sync
    from tests.federation import simulator

    with simulated("--portals", "1", "--listings", str(count)) as base:
        simulator.register(base, 1)
        started, worked = time.monotonic(), time.process_time()
        while Checkpoint.objects.get(peer_id="ind-p0000").seq < count:
            runs = sync.pull_peer("ind-p0000")
            assert not any(run.error for run in runs), [run.error for run in runs]
        seconds, cpu = time.monotonic() - started, time.process_time() - worked
        found = Dataset.objects.filter(home_portal="ind-p0000").count()
        sent = sum(SyncRun.objects.filter(peer_id="ind-p0000").values_list("bytes", flat=True))
        assert found == count, f"{found} of {count} arrived"
        print(f"| backfill of {count:,}, one worker | {count / seconds:,.0f} records/s, {seconds:.0f} s, CPU {cpu:.0f} s | {sent / 1e6:.1f} MB |")
        run = sync.pull_peer("ind-p0000")[0]
        print(f"| unchanged look | {run.pages} request | {run.bytes:,} B of body |")
        clear()


def late(portals: int, dead: int, seconds: int) -> float:
    """p95 of due to pulled, of the living, over the second half of the time."""
    from django.utils import timezone

    from federation.models import Peer
    from federation.services import schedule
    from tests.federation import simulator

    arguments = ["--portals", str(portals), "--listings", "1", "--dead", str(dead)]
    with simulated(*arguments) as base:
        simulator.register(base, portals)
        ids = simulator.portal_ids(portals)
        gone = set(ids[:: portals // dead][:dead]) if dead else set()
        for place, name in enumerate(ids):
            Peer.objects.filter(pk=name).update(next_due=timezone.now() + schedule.INTERVAL * (place / portals))
        waited, genuine, half = [], schedule.claim, time.monotonic() + seconds / 2

        def claim():
            now = timezone.now()
            name = genuine()
            if name and name not in gone and time.monotonic() > half:
                waited.append((now - due[name]).total_seconds())
            if name:
                due[name] = now + schedule.INTERVAL
            return name

        due = dict(Peer.objects.values_list("pk", "next_due"))
        schedule.claim, until = claim, time.monotonic() + seconds
        try:
            while time.monotonic() < until:
                schedule.work()
                time.sleep(0.5)
        finally:
            schedule.claim = genuine
            clear()
    return sorted(waited)[int(len(waited) * 0.95)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backfill", type=int, default=100_000)
    parser.add_argument("--portals", type=int, default=1000)
    parser.add_argument("--dead", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=60)
    chosen = parser.parse_args()
    os.environ["PORTAL_ALLOWED_PRIVATE_NETWORKS"] = "127.0.0.0/8"
    setting.start()
    from federation import tasks

    tasks.wake = lambda *arguments: None
    print(f"{setting.machine()}\n\n| what | result | on the wire |\n|---|---|---|")
    if chosen.backfill:
        backfill(chosen.backfill)
    if chosen.seconds:
        alone = late(chosen.portals, 0, chosen.seconds)
        beside = late(chosen.portals, chosen.dead, chosen.seconds)
        print(f"| {chosen.portals:,} simulated portals, none dead: p95 of how late one is looked at | {alone:.1f} s | |")
        print(f"| the same, {chosen.dead} black-holed | {beside:.1f} s | |")


if __name__ == "__main__":
    main()
