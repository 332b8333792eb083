"""One pull in a process of its own that dies (SIGKILL) at a named step; run by test_processes."""

import os
import signal

from django.utils import timezone

from catalog.models import AuditEntry, Dataset, Portal
from federation.models import Checkpoint, Peer, PeerKey
from federation.services import sync


def prepare(url: str, keyid: str, public_key: str) -> None:
    portal, _ = Portal.objects.update_or_create(id="cn-33", defaults={"role": "local", "name": "浙江门户", "short_name": "浙江", "base_url": url})
    peer = Peer.objects.create(portal=portal, state="active", trusted=True, base_url=url)
    PeerKey.objects.create(peer=peer, keyid=keyid, public_key=public_key)
    Checkpoint.objects.create(peer=peer, stream="listings")


def pull(die_at: str = "") -> None:
    Checkpoint.objects.update(lease_until=timezone.now())  # the 30 s of the dead worker's lease have passed

    def step(name):
        if name == die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    sync.step = step
    for run in sync.pull_peer("cn-33"):
        assert not run.error, run.error
    report()


def report() -> None:
    applied = AuditEntry.objects.filter(action="federation.applied")
    print("state", Dataset.objects.published().count(), applied.count(), applied.values("object_id").distinct().count(), Checkpoint.objects.get().seq)
