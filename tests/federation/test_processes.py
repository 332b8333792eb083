"""What only processes show: dense numbers under concurrent writers, and a puller killed between its steps."""

import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.db import connection

from federation import signing
from tests.federation.dense import Run
from tests.federation.fake_portal import FakePortal
from tests.journeys.portals import ROOT, PortalProcess


@pytest.fixture
def portal(tmp_path):
    process = PortalProcess("cn", "national", "国家门户", "国家", tmp_path, PORTAL_LOG_LEVEL="WARNING")
    process.manage("load_vocabularies", "-v0")
    return process


@pytest.mark.services("DATABASE_URL")
@pytest.mark.django_db(transaction=True)
def test_the_sequence_is_dense_on_postgresql_whatever_order_writers_commit_in():
    assert connection.vendor == "postgresql"

    Run(writers=8, each=60).run()


@pytest.mark.processes
def test_the_sequence_is_dense_on_sqlite_whatever_order_writers_commit_in(portal):
    out = portal.manage("shell", "-v0", "-c", "from tests.federation.dense import Run; Run(writers=8, each=15).run()")

    assert "dense 120" in out


@pytest.fixture
def feed():
    home = FakePortal.without_database()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            answer = home.handle(self.command, home.base_url + self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        do_POST = do_GET

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    home.base_url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield home
    server.shutdown()
    server.server_close()


def run(portal, code):
    command = [sys.executable, "manage.py", "shell", "-v0", "-c", f"from tests.federation import killed; {code}"]
    return subprocess.run(command, cwd=ROOT, env=portal.environment, capture_output=True, text=True, timeout=120)


@pytest.mark.processes
def test_a_puller_killed_at_any_step_loses_nothing_and_applies_nothing_twice(portal, feed):
    """F1 to F8: after lease, after the body, after parse, after upsert, before commit, after commit."""
    done = run(portal, f"killed.prepare({feed.base_url!r}, {feed.signer.keyid!r}, {signing.public_text(feed.signer.key)!r})")
    assert done.returncode == 0, done.stderr
    for step in ("leased", "received", "parsed", "applied", "before_commit", "committed"):
        for _ in range(20):
            feed.put()
        killed = run(portal, f"killed.pull({step!r})")
        assert killed.returncode == -9, (step, killed.stdout, killed.stderr[-2000:])
        seen = run(portal, "killed.report()").stdout.split()[-4:]
        assert seen[0] == seen[1] == seen[2] == seen[3], f"half a page after {step}: {seen}"

    finished = run(portal, "killed.pull()")

    assert finished.stdout.split()[-4:] == ["120", "120", "120", "120"], finished.stderr[-2000:]
