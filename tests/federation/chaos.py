"""Two portals and a national one as processes, killed, stopped, with clocks off, under load; at the end the checker judges them.

    python -m tests.federation.chaos --minutes 10 [--seed 1] [--keep]

Prints what was done and the verdict, which must be empty.
"""

import argparse
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from tests.federation.clock import clock_path
from tests.journeys.portals import PortalProcess, join
from tests.processes import processes_with

FACTS = """
import json
from tests.federation import checker
print(json.dumps(checker.facts()))
"""
WRITER = "from tests.federation.chaos import write_for_ever; write_for_ever({seed}, {seconds})"
JUDGE = "from tests.federation.chaos import decide_for_ever; decide_for_ever({seed}, {seconds})"
ATTEND = "from tests.federation.chaos import attend; attend()"


def write_for_ever(seed: int, seconds: float) -> None:
    """In a process beside the portal's server: an owner that lists, changes and withdraws, as fast as it may."""
    from django.db import OperationalError, transaction
    from django.utils import timezone

    from catalog.services.publication import announce
    from tests.factories import make_dataset, make_organization

    chance, mine, until = random.Random(seed), [], time.monotonic() + seconds
    organization = make_organization(name=f"示例机构 {seed}")
    while time.monotonic() < until:
        try:
            with transaction.atomic():
                if not mine or chance.random() < 0.35:
                    row = make_dataset(
                        title=f"示例：{seed} 的第 {len(mine)} 个", organization=organization, status="listed", listed_at=timezone.now()
                    )
                    mine.append(row)
                else:
                    row = chance.choice(mine)
                    row.refresh_from_db()
                    row.title, row.status = f"示例：{seed} 改于 {chance.random():.6f}", chance.choice(["listed", "listed", "listed", "delisted"])
                    row.status_reason = "" if row.status == "listed" else "示例原因"
                    row.save()
                announce([row])
        except OperationalError:  # SQLite busy for 20 s: the owner tries again, nothing was committed
            continue
        time.sleep(chance.random() * 0.2)


def decide_for_ever(seed: int, seconds: float) -> None:
    """A national reviewer who takes down and restores."""
    from django.db import OperationalError

    from catalog.exceptions import DomainError
    from catalog.models import Dataset
    from federation.services import decisions
    from tests.factories import make_user

    chance, until = random.Random(seed), time.monotonic() + seconds
    reviewer = make_user(role="reviewer", username=f"judge-{seed}")
    while time.monotonic() < until:
        row = Dataset.objects.exclude(home_portal="cn").order_by("?").first()
        try:
            if row:
                decisions.decide(row, chance.choice(["takedown", "restore", "return", "admit"]), actor=reviewer, reason="核查")
        except (DomainError, OperationalError):
            pass
        time.sleep(chance.random() * 0.5)


def attend() -> None:
    """What a person at a portal does about what waits for one."""
    from federation.models import Peer, Quarantine
    from federation.services import peers, quarantine, sync

    for peer in Peer.objects.filter(state=Peer.State.DIVERGED):
        sync.read_anew(peer.pk)
        peers.accept(peer.pk)
    quarantine.retry_quarantine(list(Quarantine.objects.filter(state=Quarantine.State.HELD)))


class Chaos:
    def __init__(self, folder: Path, seed: int, **settings: str):
        self.folder, self.chance, self.done, self.settings = folder, random.Random(seed), [], settings
        self.portals = [
            PortalProcess("cn", "national", "国家门户", "国家", folder, **self.values("cn")),
            PortalProcess("cn-33", "local", "浙江门户", "浙江", folder, **self.values("cn-33")),
            PortalProcess("ind-healthcare", "industry", "医疗卫生门户", "医卫", folder, **self.values("ind-healthcare")),
        ]

    def values(self, portal_id: str) -> dict:
        """Fewer processes a portal, and a clock that this test can set."""
        few = {"PORTAL_WEB_WORKERS": "1", "PORTAL_TASK_WORKERS": "1", "PORTAL_LOG_LEVEL": "ERROR"}
        path = f"{clock_path()}:{os.environ.get('PYTHONPATH', '')}"
        return few | {"TESTS_CLOCK": str(self.folder / f"{portal_id}.clock"), "PYTHONPATH": path} | self.settings

    def run(self, seconds: float) -> list[str]:
        helpers = []
        try:
            for portal in self.portals:
                portal.manage("load_vocabularies", "-v0")
                portal.manage("shell", "-v0", "-c", "from tests.factories import make_user; make_user(role='admin', username='keeper')")
                portal.start()
            for local in self.portals[1:]:
                join(self.portals[0], local, name=local.id)
            helpers = [self.beside(local, WRITER, number, seconds) for number, local in enumerate(self.portals[1:], 1)]
            helpers.append(self.beside(self.portals[0], JUDGE, 7, seconds))
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                self.strike()
                time.sleep(self.chance.uniform(0.5, 3))
            for helper in helpers:
                helper.wait(60)
            return self.verdict()
        finally:
            for helper in helpers:
                helper.kill()
            for portal in self.portals:
                self.kill(portal)

    def beside(self, portal, script: str, seed: int, seconds: float):
        import subprocess

        command = [sys.executable, "manage.py", "shell", "-v0", "-c", script.format(seed=seed, seconds=seconds)]
        return subprocess.Popen(command, cwd=Path(__file__).parents[2], env=portal.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    # --- faults
    def strike(self) -> None:
        what = self.chance.choice([self.kill_everything, self.kill_one, self.kill_one, self.freeze, self.clock_off, self.clock_right, self.wait])
        portal = self.chance.choice(self.portals)
        what(portal)
        self.done.append(f"{what.__name__} {portal.id}")

    def alive(self, portal) -> dict[int, str]:
        return {pid: name for pid, name in processes_with(f"PORTAL_DATA_DIR={portal.folder}").items() if "manage.py shell" not in name}

    def kill_everything(self, portal) -> None:
        """kill -9 of the server and all its workers, then a start."""
        self.kill(portal)
        portal.start()

    def kill(self, portal) -> None:
        for _round in range(3):
            for pid in self.alive(portal):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
        if portal.server:
            portal.server.wait(20)

    def kill_one(self, portal) -> None:
        """kill -9 of one of its processes; what supervises the others starts it again."""
        found = [pid for pid in self.alive(portal) if portal.server is None or pid != portal.server.pid]
        if found:
            try:
                os.kill(self.chance.choice(found), signal.SIGKILL)
            except ProcessLookupError:
                return

    def freeze(self, portal) -> None:
        """The portal hangs for a while: connections are accepted and nothing answers."""
        found = list(self.alive(portal))
        for way in (signal.SIGSTOP, signal.SIGCONT):
            for pid in found:
                try:
                    os.kill(pid, way)
                except ProcessLookupError:
                    continue
            if way == signal.SIGSTOP:
                time.sleep(self.chance.uniform(1, 4))

    def clock_off(self, portal) -> None:
        (self.folder / f"{portal.id}.clock").write_text(str(self.chance.choice([-600, 600, 3600, -45, 86_400])))

    def clock_right(self, portal) -> None:
        for each in self.portals:
            (self.folder / f"{each.id}.clock").unlink(missing_ok=True)

    def wait(self, portal) -> None:
        time.sleep(1)

    # --- the end
    def facts(self, portal) -> dict:
        return json.loads(portal.manage("shell", "-v0", "-c", FACTS).strip().splitlines()[-1])

    def verdict(self, seconds: float = 90) -> list[str]:
        """Clocks right, everybody running, people doing their part: the verdict once it is empty, or the last one in time."""
        from tests.federation import checker

        self.clock_right(self.portals[0])
        for portal in self.portals:
            if portal.server is None or portal.server.poll() is not None:
                portal.start()
        until, found = time.monotonic() + seconds, ["not judged"]
        while found and time.monotonic() < until:
            for portal in self.portals:
                portal.manage("shell", "-v0", "-c", ATTEND)
                try:
                    portal.manage("sync")
                except AssertionError:  # a lease of a killed worker holds for 30 s; it is tried again
                    time.sleep(2)
            national, *locals_ = [self.facts(portal) for portal in self.portals]
            owners, homes = {}, {}
            for facts in locals_:
                owners |= facts["owners"]
                homes |= facts["homes"]
            self.judged = len(owners)
            found = checker.verdict(owners, national["held"], national["decisions"], homes)
        return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="leave the portals' folders for a look")
    chosen = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    folder = Path(tempfile.mkdtemp(prefix="jimu-chaos-"))
    chaos = Chaos(folder, chosen.seed)
    verdict = chaos.run(chosen.minutes * 60)
    print(f"seed {chosen.seed}, {chosen.minutes} min, {len(chaos.done)} faults: {'; '.join(chaos.done)}")
    print(f"{chaos.judged} records judged; verdict: {verdict or 'empty'}")
    if chosen.keep:
        print(folder)
    else:
        shutil.rmtree(folder, ignore_errors=True)
    raise SystemExit(bool(verdict))


if __name__ == "__main__":
    main()
