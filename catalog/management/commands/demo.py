"""A working two-tier portal in one command: national, 浙江 and healthcare portals with content, on three ports."""

import os
import shutil
import signal
import subprocess  # nosec B404  # starts this project's own commands
import threading
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand

from catalog.demo import portals as demo
from catalog.demo.accounts import ACCOUNTS
from catalog.management.commands.serve import collect_static, refuse, require_free
from catalog.outgoing import PRIVATE_PORTS_CLOSED
from catalog.supervisor import Child, Supervisor

# Run once per portal in its environment, all portals at a time, before anything serves. Each must be repeatable.
CONTENT_STEPS = [["migrate", "--verbosity", "0"], ["load_vocabularies"], ["demo_content"]]
PATIENCE = 120  # seconds until all must answer


class Command(BaseCommand):
    help = "Start three portals with demonstration content; Ctrl-C stops them."
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("--port", type=int, default=8000, help="of the national portal; the others follow (default 8000)")
        parser.add_argument("--data-dir", type=Path, default=settings.BASE_DIR / "var" / "demo")
        parser.add_argument("--reset", action="store_true", help="forget what an earlier start left, then start")

    def handle(self, *, port, data_dir, reset, **options):
        if not 1024 <= port <= 65533:
            refuse(f"--port {port} is outside 1024 to 65533.")
        folder = data_dir.expanduser().resolve()
        portals = demo.portals(port, folder)
        for portal in portals:
            if portal.port in PRIVATE_PORTS_CLOSED:  # the portals could not reach each other there
                refuse(f"port {portal.port} belongs to another kind of server, and portals do not talk to it: choose another --port.")
            require_free("127.0.0.1", portal.port)
        if reset:
            forget(folder)
        password = self.first_start(folder, portals)
        self.serve(folder, portals, password)

    def first_start(self, folder, portals) -> str:
        try:
            password = demo.kept_secret(folder / "password", 14)
            environments = {portal: portal.environment(password) for portal in portals}
        except OSError as error:
            refuse(f"--data-dir {str(folder)!r} cannot be written: {error.strerror}.")
        collect_static()
        state = demo.state(folder)
        if state["port"] not in (0, portals[0].port):
            refuse(f"{str(folder)!r} was filled for port {state['port']}: use --port {state['port']}, another --data-dir, or --reset.")
        for step in CONTENT_STEPS:
            if step[0] == "migrate" or step[0] not in state["done"]:
                self.together(step, environments)
                state = {"port": portals[0].port, "done": state["done"] + [step[0]]}
                demo.keep_state(folder, state)
        return password

    def together(self, step, environments) -> None:
        """One command in each portal at the same time; the first that fails ends the start with its last line."""
        running = [
            (portal, subprocess.Popen([*demo.MANAGE, *step], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True))
            for portal, environment in environments.items()
        ]
        outputs = [(portal, process, process.communicate()[0]) for portal, process in running]
        for portal, process, output in outputs:
            if process.returncode:
                self.stderr.write(output)
                refuse(f"{portal.name}: manage.py {step[0]} ended with code {process.returncode}.")

    def serve(self, folder, portals, password) -> None:
        supervisor = Supervisor([self.child(folder, portal, password) for portal in portals], grace=15.0)
        opening = threading.Thread(target=self.open, args=(supervisor, folder, portals, password), daemon=True)
        opening.start()
        supervisor.run()
        self.stdout.write("已停止。")

    def child(self, folder, portal, password) -> Child:
        log = open(folder / portal.id / "serve.log", "a")
        command = [*demo.MANAGE, "serve", "--bind", f"127.0.0.1:{portal.port}"]
        return Child(portal.name, command, portal.environment(password), output=log)

    def open(self, supervisor, folder, portals, password) -> None:
        """Wait until all answer, do what needs them alive, then tell the visitor."""
        try:
            if not wait_for(portals, supervisor):
                return
            self.enrol(folder, portals, password)
            self.tell(portals, password)
        except SystemExit:
            os.kill(os.getpid(), signal.SIGTERM)
        except Exception as error:
            self.stderr.write(f"{error}")
            os.kill(os.getpid(), signal.SIGTERM)

    def enrol(self, folder, portals, password) -> None:
        """Join each local portal to the national one, as two administrators would: invitation, one-time code, acceptance."""
        national, *others = portals
        for portal in others:
            state = demo.state(folder)
            if f"enrol {portal.id}" in state["done"]:
                continue
            invite = ["portal", "invite", portal.id, "--name", portal.name, "--short-name", portal.short_name]
            code = self.one(national, password, invite).strip().splitlines()[-1]
            self.one(portal, password, ["portal", "enrol", national.url, "--code", code])
            self.one(national, password, ["portal", "accept", portal.id, "--trusted"])
            demo.keep_state(folder, state | {"done": state["done"] + [f"enrol {portal.id}"]})

    def one(self, portal, password, words) -> str:
        done = subprocess.run([*demo.MANAGE, *words], env=portal.environment(password), capture_output=True, text=True)
        if done.returncode:
            self.stderr.write(done.stdout + done.stderr)
            refuse(f"{portal.name}: manage.py {' '.join(words[:2])} ended with code {done.returncode}.")
        return done.stdout

    def tell(self, portals, password) -> None:
        lines = ["", *(f"  {portal.name:　<10}{portal.url}/" for portal in portals), ""]
        lines += [f"  {username:<12}{name}" for username, name, _group in ACCOUNTS]
        lines += ["", f"  以上账号在三个门户都有，密码都是 {password}", "  日志在各门户文件夹的 serve.log。按 Ctrl-C 停止。", ""]
        self.stdout.write("\n".join(lines))
        self.stdout.flush()


def forget(folder: Path) -> None:
    """Remove what the demonstration made, and nothing else a wrongly named folder may hold."""
    for portal in demo.portals(0, folder):
        shutil.rmtree(portal.folder, ignore_errors=True)
    for name in ("demo.json", "password"):
        (folder / name).unlink(missing_ok=True)


def wait_for(portals, supervisor) -> bool:
    end = time.monotonic() + PATIENCE
    for portal in portals:
        while not answers(f"{portal.url}/healthz"):
            if supervisor.stopping:
                return False
            if time.monotonic() > end:
                refuse(f"{portal.name} does not answer at {portal.url}; see {portal.folder / 'serve.log'}.")
            time.sleep(0.2)
    return True


def answers(url: str) -> bool:
    with suppress(urllib.error.URLError, OSError):
        with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310  # nosec B310  # our own http address
            return response.status == 200
    return False
