"""A portal's worker in a process of its own, which forks for each piece of work, so that the piece can really be killed.

`Hand` is the test's side. The other side reads one JSON line a piece: {"work": name, "arguments": [...], "die_at": step}.
"""

import json
import os
import signal
import subprocess
import sys
import traceback
from pathlib import Path

from tests.processes import ROOT, environment, migrated


class Hand:
    def __init__(self, folder: Path, **values: str):
        if "DATABASE_URL" not in values:
            migrated(folder)
        env = environment(folder, PORTAL_ALLOWED_PRIVATE_NETWORKS="127.0.0.0/8", PORTAL_LOG_LEVEL="ERROR", **values)
        env["DJANGO_SETTINGS_MODULE"] = "tests.settings"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.federation.faults.hand"], cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def does(self, work: str, *arguments, die_at: str = ""):
        """What the work returned. With `die_at` the work must have been killed there (SIGKILL), and nothing is returned."""
        self.process.stdin.write(json.dumps({"work": work, "arguments": arguments, "die_at": die_at}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        assert "error" not in answer, answer["error"]
        assert answer["signal"] == (signal.SIGKILL if die_at else 0), f"{work} ended with {answer} at {die_at or 'no step'}"
        return answer.get("result")

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=10)


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def prepare_reader(url: str, keyid: str, public_key: str) -> None:
    from django.core.management import call_command

    from catalog.models import Portal
    from federation.models import Checkpoint, Peer, PeerKey

    call_command("load_vocabularies", verbosity=0)
    portal, _ = Portal.objects.update_or_create(id="cn-33", defaults={"role": "local", "name": "浙江门户", "short_name": "浙江", "base_url": url})
    peer = Peer.objects.create(portal=portal, state="active", trusted=True, base_url=url)
    PeerKey.objects.create(peer=peer, keyid=keyid, public_key=public_key)
    Checkpoint.objects.create(peer=peer, stream="listings")


def arm(die_at: str) -> None:
    """Die at a named moment of a pull: the steps of services/sync, or inside the reading of the answer, or after the outbox rows."""
    from catalog import outgoing
    from federation.services import outbox, sync

    sync.step = lambda name: name == die_at and die()
    if die_at == "headers":
        outgoing._read = lambda *arguments: die()
    elif die_at == "mid-body":
        outgoing._read = lambda response, *arguments: (response.read(100, decode_content=False), die())
    elif die_at == "outbox":
        write = outbox.write
        outbox.write = lambda changes: (write(changes), die())


def pull(die_at: str = "") -> list[str]:
    """One pull of all there is; the errors."""
    from federation.services import sync

    arm(die_at)
    return [run.error for run in sync.pull_peer("cn-33") if run.error]


def pull_with_full_disk() -> list[str]:
    """One pull while the database file may not grow by more than a few pages."""
    from django.db import connection

    with connection.cursor() as cursor:
        pages = cursor.execute("PRAGMA page_count").fetchone()[0]
        cursor.execute(f"PRAGMA max_page_count = {pages + 8}")
    return pull()


def lease_left() -> float:
    from django.utils import timezone

    from federation.models import Checkpoint

    until = Checkpoint.objects.get().lease_until
    return (until - timezone.now()).total_seconds() if until else 0


def let_lease_pass() -> None:
    from django.utils import timezone

    from federation.models import Checkpoint

    Checkpoint.objects.update(lease_until=timezone.now())


def report() -> dict:
    """Counts that agree with each other at every moment, whoever was killed."""
    from catalog.models import AuditEntry, Dataset
    from federation.models import Change, Checkpoint, RemoteRecord

    applied = AuditEntry.objects.filter(action="federation.applied")
    return {
        "listings": Dataset.objects.published().count(),
        "records": RemoteRecord.objects.count(),
        "audited": applied.count(),
        "once": applied.values("object_id").distinct().count(),
        "decided": Change.objects.filter(stream="decisions").count(),
        "cursor": Checkpoint.objects.get().seq,
    }


def commit(count: int) -> None:
    """So many events of this portal, committed and not numbered."""
    from django.db import transaction

    from federation.models import Change
    from federation.protocol import digest
    from federation.services import outbox

    start = Change.objects.count()
    rows = [
        Change(
            stream="listings", identifier=f"urn:dataset:cn:{number:08d}-0000-7000-8000-000000000000", op="put", rev=1, hash=digest(b"{}"), doc=b"{}"
        )
        for number in range(start, start + count)
    ]
    with transaction.atomic():
        outbox.write(rows)


def number(die_at: str = "") -> int:
    """Number what is committed; `inside` dies before the commit, `after` when the first batch is committed."""
    from federation.models import FeedState
    from federation.services import sequencer

    if die_at == "inside":
        save = FeedState.save
        FeedState.save = lambda self, *a, **k: (save(self, *a, **k), k.get("update_fields") and die())
    elif die_at == "after":
        batch = sequencer.number_batch
        sequencer.number_batch = lambda *a: (batch(*a), die())
    sequencer.number_all()
    return FeedState.objects.get(stream="listings").head


def feed() -> list[list]:
    """Everything the feed serves, read page by page as a peer would: [seq, id]; fails when a page does not hold."""
    from federation import signing
    from federation.protocol import decode_page
    from federation.services import keys, sequencer

    key, since, found = keys.current_key(), "", []
    while True:
        body = sequencer.page("listings", "", since, 100)
        page = decode_page(body, lambda data, given: signing.verify_attestation(data, given, lambda _id: (key.algorithm, key.public_key)))
        found += [[event.seq, event.id] for event in page.events]
        since = page.trailer["next"]
        if not page.trailer["more"]:
            return found


WORK = {work.__name__: work for work in (prepare_reader, pull, pull_with_full_disk, lease_left, let_lease_pass, report, commit, number, feed)}


def _child(piece: dict, out: int) -> None:
    os.dup2(2, 1)  # what commands print is no answer
    try:
        die_at = {"die_at": piece["die_at"]} if piece["die_at"] else {}
        answer = {"result": WORK[piece["work"]](*piece["arguments"], **die_at)}
    except BaseException:
        answer = {"error": traceback.format_exc()}
    os.write(out, json.dumps(answer).encode())
    os._exit(0)


def main() -> None:
    import django

    django.setup()
    from federation import tasks
    from federation.services import decisions, sync  # noqa: F401  what the work imports is read once, before the forks

    tasks.wake = lambda task, *arguments: None  # nothing happens but what the test asks for
    for line in sys.stdin:
        piece = json.loads(line)
        inward, outward = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(inward)
            _child(piece, outward)
        os.close(outward)
        with os.fdopen(inward, "rb") as pipe:
            written = pipe.read()
        status = os.waitpid(child, 0)[1]
        killed = {"signal": os.WTERMSIG(status)} if os.WIFSIGNALED(status) else {"signal": 0}
        print(json.dumps((json.loads(written) if written else {}) | killed), flush=True)


if __name__ == "__main__":
    main()
