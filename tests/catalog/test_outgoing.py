"""The guarded client: no hostile address form reaches a listening canary; what it answers is capped."""

import gzip
import ipaddress
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from catalog import outgoing
from catalog.outgoing import OutgoingFailed, OutgoingRefused, fetch

HOSTILE = """
127.0.0.1 127.1 127.0.1 127.255.255.254 2130706433 017700000001 0177.0.0.1 0177.1 0x7f.1 0x7f000001 0x7f.0.0.1 0
0.0.0.0 10.0.0.1 10.255.255.255 172.16.0.1 172.31.255.255 192.168.0.1 192.168.1.1 169.254.169.254 169.254.1.1 100.64.0.1 100.127.255.255
192.0.0.1 192.0.2.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 239.1.1.1 240.0.0.1 255.255.255.255 192.88.99.1
[::1] [::] [::127.0.0.1] [::ffff:127.0.0.1] [::ffff:7f00:1] [::ffff:10.0.0.1] [::ffff:169.254.169.254] [0:0:0:0:0:ffff:7f00:1]
[64:ff9b::127.0.0.1] [64:ff9b::7f00:1] [64:ff9b::a9fe:a9fe] [64:ff9b:1::7f00:1] [2002:7f00:1::] [2002:a00:1::1] [2002:c0a8:101::]
[2001:0:7f00:1::] [2001:db8::1] [fe80::1] [fe80::1%25lo] [fe80::1%25eth0] [fc00::1] [fd00::1] [fdff::1] [fec0::1] [ff02::1] [100::1] [5f00::1]
[2001:4860::5efe:7f00:1] [2001:4860::200:5efe:10.0.0.1] [::a00:1]
localhost localhost. LOCALHOST
""".split()


class Handler(BaseHTTPRequestHandler):
    seen = []

    def do_GET(self):
        Handler.seen.append((self.path, dict(self.headers)))
        status, headers, body, pause = self.server.answers.get(self.path, (200, {}, b"canary", 0))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        try:
            for position in range(0, len(body), 1000) if pause else [0]:
                self.wfile.write(body[position : position + 1000] if pause else body)
                self.wfile.flush()
                time.sleep(pause)
        except OSError:
            return

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(201)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        return


@pytest.fixture
def canary():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.answers, Handler.seen[:] = {}, []
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    server.url = f"http://127.0.0.1:{server.server_port}"
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def allowed(settings):
    settings.PORTAL_ALLOWED_PRIVATE_NETWORKS = [ipaddress.ip_network("127.0.0.0/8")]


@pytest.mark.parametrize("host", HOSTILE)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_no_hostile_address_form_is_connected_to(host, scheme, canary, settings, monkeypatch):
    settings.PORTAL_ALLOWED_PRIVATE_NETWORKS = []
    monkeypatch.setattr(socket.socket, "connect", lambda *a: pytest.fail("a connection was tried"))

    with pytest.raises((OutgoingRefused, OutgoingFailed)):
        fetch("GET", f"{scheme}://{host}:{canary.server_port}/")

    assert Handler.seen == []


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://example.org/",
        "gopher://127.0.0.1/",
        "https://user:word@example.org/",
        "https://a b/",
        "http:\\\\127.0.0.1\\",
        "https://",
    ]
    + ["https://example.org\t/", "//example.org/", "javascript:alert(1)", "https://1.1.1.1:22/", "http://1.1.1.1/"],
)
def test_wrong_schemes_ports_and_forms_are_refused(url):
    with pytest.raises(OutgoingRefused):
        fetch("GET", url)


@pytest.mark.parametrize("port", [22, 25, 5432, 6379, 9200])
def test_an_allowed_network_does_not_open_other_services(port, allowed):
    with pytest.raises(OutgoingRefused):
        fetch("GET", f"http://127.0.0.1:{port}/")


def test_a_name_with_one_private_address_among_its_addresses_is_refused(monkeypatch, settings):
    settings.PORTAL_ALLOWED_PRIVATE_NETWORKS = []
    both = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 443)) for ip in ("1.1.1.1", "127.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: both)

    with pytest.raises(OutgoingRefused):
        fetch("GET", "https://rebinding.example/")


def test_a_name_is_resolved_once_and_that_answer_is_connected_to(monkeypatch, canary, allowed):
    asked, real = [], socket.getaddrinfo

    def once(host, *args, **options):
        asked.append(host)
        return real("127.0.0.1" if len(asked) == 1 else "10.0.0.1", *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", once)

    answer = fetch("GET", f"http://portal.example:{canary.server_port}/x")

    assert answer.content == b"canary"
    assert asked == ["portal.example"]


def test_a_redirect_to_a_private_address_is_refused(canary, allowed):
    canary.answers["/away"] = (302, {"Location": "http://10.0.0.1/secret"}, b"", 0)

    with pytest.raises(OutgoingRefused):
        fetch("GET", canary.url + "/away")


def test_credentials_do_not_follow_to_another_origin(canary, allowed):
    other = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    other.answers = {}
    threading.Thread(target=other.serve_forever, args=(0.01,), daemon=True).start()
    canary.answers["/away"] = (302, {"Location": f"http://127.0.0.1:{other.server_port}/there"}, b"", 0)

    answer = fetch("GET", canary.url + "/away", headers={"Authorization": "Bearer x"})
    other.shutdown()
    other.server_close()

    assert answer.url.endswith("/there")
    assert "Authorization" not in Handler.seen[-1][1]


def test_redirects_end(canary, allowed):
    canary.answers["/loop"] = (302, {"Location": "/loop"}, b"", 0)

    with pytest.raises(OutgoingFailed):
        fetch("GET", canary.url + "/loop")


def test_redirects_are_not_followed_when_not_wanted(canary, allowed):
    canary.answers["/away"] = (302, {"Location": "http://10.0.0.1/"}, b"", 0)

    assert fetch("GET", canary.url + "/away", allow_redirects=False).status == 302


def test_size_is_capped_also_after_decompression(canary, allowed):
    canary.answers["/big"] = (200, {}, b"x" * 200_000, 0)
    canary.answers["/bomb"] = (200, {"Content-Encoding": "gzip"}, gzip.compress(b"\0" * 50_000_000), 0)

    for path in ("/big", "/bomb"):
        with pytest.raises(OutgoingFailed):
            fetch("GET", canary.url + path, max_bytes=100_000)


def test_a_compressed_answer_is_read_whole(canary, allowed):
    text = b"catalogue " * 100_000
    canary.answers["/gz"] = (200, {"Content-Encoding": "gzip"}, gzip.compress(text), 0)

    assert fetch("GET", canary.url + "/gz").content == text


def test_a_dripping_server_is_left_at_the_deadline(canary, allowed):
    canary.answers["/drip"] = (200, {"Content-Length": "100000"}, b"x" * 100_000, 0.1)
    started = time.monotonic()

    with pytest.raises(OutgoingFailed):
        fetch("GET", canary.url + "/drip", timeout=0.6)

    assert time.monotonic() - started < 2


def test_post_sends_the_body_and_errors_are_answers(canary, allowed):
    canary.answers["/gone"] = (410, {}, b"gone", 0)

    assert outgoing.post(canary.url + "/p", b"{}").content == b"{}"
    assert outgoing.get(canary.url + "/gone").status == 410
