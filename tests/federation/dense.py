"""Writers with delays in their transactions, two sequencers and a reader at once (F11), on SQLite and PostgreSQL.

python -m tests.federation.dense --events 1000000      on the empty database that DATABASE_URL names
"""

import argparse
import os
import random
import threading
import time

POLL = 0.005


class Run:
    def __init__(self, writers: int = 8, each: int = 25, delay: float = 0.01, batch: int = 1):
        """`delay` is the longest a transaction stays open, `batch` how many events one transaction writes."""
        self.writers, self.each, self.delay, self.batch = writers, each, delay, batch
        self.seen: dict[int, str] = {}
        self.errors: list[Exception] = []
        self.holes = self.lost = 0
        self.done = threading.Event()

    def guarded(self, work, *arguments):
        from django.db import connection

        def target():
            try:
                work(*arguments)
            except Exception as error:
                self.errors.append(error)
            finally:
                connection.close()

        return threading.Thread(target=target)

    def write(self, number):
        from django.db import transaction

        from federation.models import Change
        from federation.protocol import digest
        from federation.services import outbox

        chance, hash_ = random.Random(number), digest(b"{}")
        for start in range(0, self.each, self.batch):
            names = [f"urn:dataset:cn:{number:08d}-0000-7000-8000-{count:012d}" for count in range(start, min(start + self.batch, self.each))]
            with transaction.atomic():
                outbox.write([Change(stream="listings", identifier=name, op="put", rev=1, hash=hash_, doc=b"{}") for name in names])
                time.sleep(chance.random() * self.delay)  # a lower id may commit after a higher one

    def number(self):
        from django.db import OperationalError

        from federation.services import sequencer

        while not self.done.is_set():
            try:
                sequencer.number_all()
            except OperationalError:  # SQLite busy, PostgreSQL deadlock: the next round does it
                pass
            time.sleep(0.002)

    def follow(self):
        """Read as a peer does, without waiting for anything: every page must go on where the last one ended."""
        from federation import signing
        from federation.models import Change
        from federation.protocol import decode_page
        from federation.services import keys, sequencer

        since, key = "", keys.current_key()
        while True:
            last = self.done.is_set()
            if last:
                sequencer.number_all()
            body = sequencer.page("listings", "", since)
            page = decode_page(body, lambda data, given: signing.verify_attestation(data, given, lambda _id: (key.algorithm, key.public_key)))
            for event in page.events:
                self.holes += event.seq != len(self.seen) + 1
                self.seen[event.seq] = event.id
            since = page.trailer["next"]
            if last and not page.trailer["more"] and not Change.objects.filter(seq=None).exists():
                return
            if not page.trailer["more"]:
                time.sleep(POLL)

    def run(self) -> float:
        """Seconds it took; AssertionError when an event was lost, came twice, or a number was left out."""
        from unittest import mock

        with mock.patch("federation.tasks.wake", lambda task, *arguments: None):  # both sequencers poll
            return self._run()

    def _run(self) -> float:
        from federation.models import Change
        from federation.services import keys, sequencer

        keys.current_key()
        sequencer.feed_state("listings")
        started = time.monotonic()
        writing = [self.guarded(self.write, number) for number in range(self.writers)]
        beside = [self.guarded(self.follow), self.guarded(self.number), self.guarded(self.number)]
        for thread in writing + beside:
            thread.start()
        for thread in writing:
            thread.join()
        self.done.set()
        for thread in beside:
            thread.join()
        assert not self.errors, self.errors
        expected = self.writers * self.each
        self.lost = expected - len(set(self.seen.values()))
        numbers = Change.objects.order_by("seq").values_list("seq", flat=True).iterator(chunk_size=10_000)
        self.holes += sum(number != place for place, number in enumerate(numbers, 1))
        print(f"{expected} events of {self.writers} writers: lost {self.lost}, holes {self.holes}, {time.monotonic() - started:.0f} s")
        assert (self.lost, self.holes) == (0, 0)
        return time.monotonic() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--batch", type=int, default=10, help="events of one transaction")
    parser.add_argument("--delay", type=float, default=0.01, help="the longest a transaction stays open, in seconds")
    chosen = parser.parse_args()
    from tests.benchmarks import setting

    setting.start()
    from federation.models import Change

    assert not Change.objects.exists(), f"{os.environ.get('DATABASE_URL', 'the database')} is not empty"
    print(setting.machine())
    Run(chosen.writers, chosen.events // chosen.writers, chosen.delay, chosen.batch).run()


if __name__ == "__main__":
    main()
