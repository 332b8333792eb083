"""Writers with delays in their transactions, two sequencers and a reader at once: run by test_processes, on SQLite and PostgreSQL."""

import random
import threading
import time

from django.db import OperationalError, connection, transaction

from federation import signing
from federation.models import Change
from federation.protocol import decode_page, digest
from federation.services import keys, outbox, sequencer


class Run:
    def __init__(self, writers=8, each=25):
        self.writers, self.each = writers, each
        self.seen: dict[int, str] = {}
        self.errors: list[Exception] = []
        self.done = threading.Event()

    def guarded(self, work, *arguments):
        def target():
            try:
                work(*arguments)
            except Exception as error:
                self.errors.append(error)
            finally:
                connection.close()

        return threading.Thread(target=target)

    def write(self, number):
        for count in range(self.each):
            identifier = f"urn:dataset:cn:{number:08d}-0000-7000-8000-{count:012d}"
            with transaction.atomic():
                outbox.write([Change(stream="listings", identifier=identifier, op="put", rev=1, hash=digest(b"{}"), doc=b"{}")])
                time.sleep(random.random() / 100)  # a lower id may commit after a higher one

    def number(self):
        while not self.done.is_set():
            try:
                sequencer.number_all()
            except OperationalError:  # SQLite busy, PostgreSQL deadlock: the next round does it
                pass
            time.sleep(0.002)

    def follow(self):
        since, key = "", keys.current_key()
        while True:
            last = self.done.is_set()
            sequencer.number_all()
            body = sequencer.page("listings", "", since)
            page = decode_page(body, lambda data, given: signing.verify_attestation(data, given, lambda _id: (key.algorithm, key.public_key)))
            for event in page.events:
                assert event.seq == len(self.seen) + 1, f"seq {event.seq} after {len(self.seen)}"
                self.seen[event.seq] = event.id
            since = page.trailer["next"]
            if last and not page.trailer["more"] and not Change.objects.filter(seq=None).exists():
                return
            time.sleep(0.005)

    def run(self):
        keys.current_key()
        sequencer.feed_state("listings")
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
        assert len(set(self.seen.values())) == expected, f"{expected - len(set(self.seen.values()))} events lost"
        assert sorted(Change.objects.values_list("seq", flat=True)) == list(range(1, expected + 1))
        print("dense", expected)
