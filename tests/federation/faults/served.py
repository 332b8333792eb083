"""A FakePortal that answers on a real socket, and the way to it through the fault proxy."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.federation.fake_portal import FakePortal
from tests.federation.fault_proxy import FaultProxy


@contextmanager
def served(home: FakePortal):
    """The address it answers at; `home.base_url` is left to the caller, as a proxy may stand in between."""

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
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield server.server_address
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def proxied(home: FakePortal, elsewhere: str = ""):
    """The fault proxy before a portal; the portal is known by the proxy's address."""
    with served(home) as address:
        proxy = FaultProxy(address, elsewhere)
        home.base_url = proxy.url
        try:
            yield proxy
        finally:
            proxy.close()
