"""Several real portals in one process, each with an SQLite database of its own: the code of both sides, without ports and waiting.

The portal whose turn it is has the default connection and the settings; a request to another one enters that portal for as long as it
is answered there, through its real views. Nothing happens but what the test asks for: tasks are not woken.
"""

import re
import shutil
import sqlite3
import time
from contextlib import ExitStack
from pathlib import Path

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.utils import load_backend
from django.test import Client, override_settings
from django.utils import timezone

from federation import signing, tasks
from federation.transport import Answer, LoopbackTransport, TransportError, use_transport
from tests.federation import checker
from tests.processes import migrated

NAMES = {"cn": ("national", "国家门户", "国家"), "cn-33": ("local", "浙江门户", "浙江"), "ind-healthcare": ("industry", "医疗卫生门户", "医卫")}


class Killed(BaseException):
    """A worker that died at a step: nothing below it is caught, its transaction is rolled back."""


class InPortal:
    def __init__(self, world: "World", portal_id: str, folder: Path):
        self.world, self.id, self.folder = world, portal_id, folder / portal_id
        role, name, short = NAMES[portal_id]
        self.url, self.clock, self.backups = f"http://{portal_id}.test", 0, []
        migrated(self.folder)
        before = connections[DEFAULT_DB_ALIAS].settings_dict
        options = {"timeout": 5, "transaction_mode": "IMMEDIATE", "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;"}
        values = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(self.folder / "portal.sqlite3"), "OPTIONS": options, "CONN_MAX_AGE": None}
        self.connection = load_backend(values["ENGINE"]).DatabaseWrapper(before | values, DEFAULT_DB_ALIAS)
        words = {"ROLE": role, "ID": portal_id, "NAME": name, "SHORT_NAME": short, "BASE_URL": self.url}
        self.settings = {f"PORTAL_{key}": value for key, value in words.items()}
        self.organization = self.admin = None
        self.stack: list = []

    def __enter__(self):
        override = override_settings(**self.settings)
        override.enable()
        self.stack.append((override, connections[DEFAULT_DB_ALIAS], self.world.turn))
        connections[DEFAULT_DB_ALIAS], self.world.turn = self.connection, self
        return self

    def __exit__(self, *error):
        override, connections[DEFAULT_DB_ALIAS], self.world.turn = self.stack.pop()
        override.disable()

    def found(self):
        """Vocabularies, this portal's own row, an administrator and an organization."""
        from django.core.management import call_command

        from tests.factories import make_organization, make_user

        with self:
            call_command("load_vocabularies", verbosity=0, stdout=open("/dev/null", "w"))
            self.admin = make_user(role="admin", username=f"admin-{self.id}")
            self.organization = make_organization(name=f"示例机构 {self.id}")

    # --- what its people do
    def lists(self, title: str) -> str:
        """A new listing on offer; its identifier."""
        from catalog.services.publication import announce
        from tests.factories import make_dataset

        with self, transaction.atomic():
            row = make_dataset(title=title, organization=self.organization, home_portal=self.id, status="listed", listed_at=timezone.now())
            announce([row])
            return row.identifier

    def changes(self, identifier: str, **values) -> None:
        """The owner changes title or status; a withdrawal has a reason."""
        from catalog.models import Dataset
        from catalog.services.publication import announce

        with self, transaction.atomic():
            row = Dataset.objects.select_for_update().get(identifier=identifier)
            for name, value in values.items():
                setattr(row, name, value)
            row.save()
            announce([row])

    def decides(self, identifier: str, kind: str, reason: str = "") -> bool:
        """A national decision; False where the state does not allow it or the listing is not here."""
        from catalog.exceptions import DomainError
        from catalog.models import Dataset
        from federation.services import decisions

        with self:
            row = Dataset.objects.filter(identifier=identifier).first()
            try:
                return bool(row and decisions.decide(row, kind, actor=self.admin, reason=reason))
            except DomainError:
                return False

    def sees(self, identifier: str) -> dict | None:
        from catalog.models import Dataset

        with self:
            row = Dataset.objects.filter(identifier=identifier).first()
            return {"admission": row.admission, "public": row.is_public} if row else None

    # --- what its workers do
    def numbers(self) -> None:
        from federation.services import sequencer

        with self:
            sequencer.number_all()

    def pulls(self, other: str):
        from federation.services import sync

        with self:
            return sync.pull_peer(other)

    def partners(self) -> list[str]:
        from federation.models import Peer

        with self:
            return list(Peer.objects.filter(state=Peer.State.ACTIVE).values_list("pk", flat=True))

    def frees_leases(self) -> None:
        """The 30 seconds of a dead worker's lease have passed."""
        from federation.models import Checkpoint

        Checkpoint.objects.update(lease_until=None)

    def attends(self) -> int:
        """What a person at this portal does about what waits for one; how much there was."""
        from federation.models import Peer, Quarantine
        from federation.services import peers, sync

        done = 0
        for peer in Peer.objects.filter(state__in=[Peer.State.DIVERGED, Peer.State.SUSPENDED]):
            if peer.state == Peer.State.DIVERGED:
                sync.read_anew(peer.pk, actor=self.admin)
            peers.accept(peer.pk, actor=self.admin)
            done += 1
        done += sync.retry_quarantine(list(Quarantine.objects.filter(state=Quarantine.State.HELD)), actor=self.admin)
        return done

    def back_up(self) -> None:
        self.backups.append(self.folder / f"backup{len(self.backups)}.sqlite3")
        with self:
            self.connection.ensure_connection()
            copy = sqlite3.connect(self.backups[-1])
            self.connection.connection.backup(copy)
            copy.close()

    def restore_backup(self, *, plainly: bool = False) -> None:
        """The database as it was in the last backup; then, unless `plainly`, what the restore command does."""
        self.connection.close()
        for ending in ("-wal", "-shm"):
            Path(f"{self.folder}/portal.sqlite3{ending}").unlink(missing_ok=True)
        shutil.copy(self.backups[-1], self.folder / "portal.sqlite3")
        if not plainly:
            with self:
                after_restore()


def after_restore() -> None:
    """What `manage.py restore` does once the rows are back, and `portal take-back` right after it."""
    from federation.models import Peer
    from federation.services import custody

    with transaction.atomic():
        custody.new_epoch()
    for peer in Peer.objects.filter(state__in=[Peer.State.ACTIVE, Peer.State.DIVERGED]).order_by("pk"):
        if custody.keeps_for_us(peer):
            custody.take_back(peer)


class World:
    """`fault(caller, method, url)` may return an Answer, raise TransportError, or give None; `spoil(url, answer)` changes what came."""

    def __init__(self, folder: Path, ids=("cn", "cn-33", "ind-healthcare"), trusted=True):
        self.folder, self.ids, self.trusted, self.turn = folder, ids, trusted, None
        self.portals: dict[str, InPortal] = {}
        self.fault, self.spoil, self.kill_at = (lambda caller, method, url: None), (lambda url, answer: answer), ""

    def __getitem__(self, portal_id: str) -> InPortal:
        return self.portals[portal_id]

    def __enter__(self):
        from unittest import mock

        self.exit = ExitStack()
        patch = self.exit.enter_context
        patch(mock.patch.object(tasks, "wake", lambda *arguments: None))
        patch(mock.patch("catalog.jobs.wake", lambda pk: None))
        patch(mock.patch.object(signing, "time", self))
        patch(mock.patch("federation.services.sync.step", self.step))
        patch(mock.patch("federation.services.apply.HOLD_ABOVE", 3))  # a flood among a handful of records
        before = use_transport(LoopbackTransport(self.handle))
        self.exit.callback(use_transport, before)
        for portal_id in self.ids:
            self.portals[portal_id] = portal = InPortal(self, portal_id, self.folder)
            self.exit.callback(portal.connection.close)
            portal.found()
        for portal_id in self.ids[1:]:
            self.join(portal_id)
        return self

    def __exit__(self, *error):
        self.exit.close()

    def time(self) -> float:
        """time.time() as signatures read it: of the portal whose turn it is."""
        return time.time() + (self.turn.clock if self.turn else 0)

    def step(self, name: str) -> None:
        if name == self.kill_at:
            self.kill_at = ""
            raise Killed(name)

    def join(self, portal_id: str) -> None:
        from federation.services import peers

        local = self[portal_id]
        with self["cn"] as national:
            code = peers.invite(portal_id, name=NAMES[portal_id][1], short_name=NAMES[portal_id][2], actor=national.admin)
        with local:
            peers.enrol(self["cn"].url, code)
        with self["cn"] as national:
            peers.accept(portal_id, trusted=self.trusted, actor=national.admin)

    def handle(self, method, url, headers, body) -> Answer:
        found = re.match(r"http://([^/]+)\.test(/.*)", url)
        if found is None or found[1] not in self.portals:
            raise TransportError(f"{url} is not in this world")
        if answer := self.fault(self.turn.id, method, url):
            return answer
        with self[found[1]]:
            values = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
            response = Client().generic(method, found[2], body, content_type="application/json", **values)
            answer = Answer(response.status_code, {name.lower(): value for name, value in response.headers.items()}, response.content)
        return self.spoil(url, answer)

    # --- the end
    def settle(self, *, people: bool = False, rounds: int = 12) -> None:
        """Without faults, until nobody has news. `people`: administrators release what is held and have diverged feeds read anew."""
        self.fault, self.spoil, self.kill_at = (lambda caller, method, url: None), (lambda url, answer: answer), ""
        for portal in self.portals.values():
            portal.clock = 0
        for _round in range(rounds):
            news = 0
            for portal in self.portals.values():
                portal.numbers()  # all of them first: what is not numbered is no news to anybody
            for portal in self.portals.values():
                with portal:
                    portal.frees_leases()
                    news += portal.attends() if people else 0
                for other in portal.partners():
                    news += sum(run.received + bool(run.error) for run in portal.pulls(other))
            if not news:
                return

    def verdict(self) -> list[str]:
        owners, homes = {}, {}
        for portal_id in self.ids[1:]:
            with self[portal_id]:
                owners |= checker.own_history()
                homes |= checker.own_admissions()
        with self["cn"]:
            return checker.verdict(owners, checker.holdings(), checker.own_decisions(), homes)
