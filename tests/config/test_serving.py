"""`manage.py serve` as a person or systemd runs it: real processes, no debug mode."""

import http.client
import os
import signal
import socket
import subprocess
import urllib.error
import urllib.request

import pytest

from tests.processes import environment, free_ports, manage, processes_with, start, wait_until

pytestmark = pytest.mark.processes


def get(port, path, **headers):
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    link.request("GET", path, headers=headers)
    answer = link.getresponse()
    answer.body = answer.read().decode(errors="replace")
    link.close()
    return answer


def is_up(port):
    def up():
        try:
            return get(port, "/healthz").status == 200
        except OSError:
            return False

    return up


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """(port, environment, supervisor) of a portal that runs for this module."""
    folder, (port,) = tmp_path_factory.mktemp("served"), free_ports()
    env = environment(folder, port, PORTAL_METRICS_TOKEN="t" * 20)
    process = start("manage.py", "serve", env=env, log=folder / "serve.log")
    try:
        wait_until(is_up(port), seconds=240)
        yield port, env, process
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=15) == 0
        wait_until(lambda: not processes_with(str(folder)), seconds=3)
    finally:
        for pid in processes_with(str(folder)):
            os.kill(pid, signal.SIGKILL)


def upload_300_mb(port, path):
    """(status line and body, bytes sent) for a client that goes on sending until it cannot."""
    size, sent = 300 * 2**20, 0
    with socket.create_connection(("127.0.0.1", port), timeout=20) as link:
        head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/octet-stream\r\nContent-Length: {size}\r\n\r\n"
        link.sendall(head.encode())
        try:
            while sent < size:
                sent += link.send(b"x" * 65536)
        except OSError:
            pass  # the server has heard enough
        answer = b""
        try:
            while part := link.recv(65536):
                answer += part
        except OSError:
            pass
    return answer.decode(errors="replace"), sent


def test_pages_carry_the_security_headers_and_hashed_compressed_static_files(served):
    page = get(served[0], "/")
    sheet = page.body.split('<link rel="stylesheet" href="')[1].split('"')[0]

    style = get(served[0], sheet, **{"Accept-Encoding": "br"})

    assert page.status == 200 and "default-src 'self'" in page.headers["Content-Security-Policy"]
    assert page.headers["X-Frame-Options"] == "DENY" and page.headers["X-Content-Type-Options"] == "nosniff"
    assert style.status == 200 and style.headers["Content-Encoding"] == "br"
    assert "immutable" in style.headers["Cache-Control"]


def test_an_unknown_address_gets_the_portals_own_page(served):
    answer = get(served[0], "/no/such/page")

    assert answer.status == 404 and 'lang="zh-Hans"' in answer.body and "Traceback" not in answer.body


def test_a_300_mb_upload_gets_a_sentence_without_being_read(served):
    answer, sent = upload_300_mb(served[0], "/register/")

    assert answer.startswith("HTTP/1.1 413") and "上传了 300 MB，超过本门户的上限 200 MB" in answer
    assert "content-security-policy" in answer.lower()
    assert sent < 50 * 2**20


def test_a_300_mb_upload_to_the_api_gets_problem_details(served):
    answer, _ = upload_300_mb(served[0], "/api/v1/datasets/")

    assert answer.startswith("HTTP/1.1 413") and "application/problem+json" in answer and "上限 200 MB" in answer


def test_slow_clients_do_not_keep_others_waiting(served):
    links = []
    for _ in range(60):
        link = socket.create_connection(("127.0.0.1", served[0]), timeout=10)
        link.sendall(b"GET / HTTP/1.1\r\nHost: 127")
        links.append(link)

    answer = get(served[0], "/healthz")

    assert answer.status == 200
    for link in links:
        link.close()


def test_figures_are_for_this_machine_or_the_holder_of_the_token(served):
    assert "jimu_job_wait_seconds" in get(served[0], "/metrics").body
    assert get(served[0], "/metrics", **{"X-Forwarded-For": "203.0.113.9"}).status == 404
    assert get(served[0], "/metrics", **{"X-Forwarded-For": "203.0.113.9", "Authorization": "Bearer " + "t" * 20}).status == 200


def test_a_second_portal_on_the_same_folder_or_port_is_refused_with_a_sentence(served):
    port, env, _ = served

    same_port = manage("serve", env=env)
    same_folder = manage("serve", "--bind", f"127.0.0.1:{free_ports()[0]}", env=env)

    assert same_port.returncode == 2 and f"127.0.0.1:{port} cannot be used" in same_port.stderr
    assert same_folder.returncode == 2 and "Another portal already runs on PORTAL_DATA_DIR" in same_folder.stderr
    assert "Traceback" not in same_port.stderr + same_folder.stderr


def test_a_killed_web_server_is_started_again(served):
    port, env, _ = served
    mains = [pid for pid, command in processes_with(env["PORTAL_DATA_DIR"]).items() if "granian" in command]

    os.kill(min(mains), signal.SIGKILL)

    wait_until(lambda: not is_up(port)(), seconds=10, step=0.02)
    wait_until(is_up(port), seconds=40)


@pytest.mark.parametrize("words", [("--bind", "nowhere"), ("--bind", "127.0.0.1:99999"), ("--bind", "203.0.113.1:8000")])
def test_a_wrong_address_is_refused_with_a_sentence(tmp_path, words):
    answer = manage("serve", *words, env=environment(tmp_path))

    assert answer.returncode == 2 and words[1] in answer.stderr and "Traceback" not in answer.stderr


@pytest.mark.parametrize("values", [{"PORTAL_DATA_DIR": "/dev/null/data"}, {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}])
def test_what_cannot_be_reached_is_named_in_a_sentence(tmp_path, values):
    answer = manage("serve", "--bind", f"127.0.0.1:{free_ports()[0]}", env=environment(tmp_path, **values))

    assert answer.returncode == 2, answer.stderr
    assert "Traceback" not in answer.stderr and len(answer.stderr.strip().splitlines()) == 1


def test_children_end_when_the_supervisor_is_killed(tmp_path):
    (port,) = free_ports()
    env = environment(tmp_path, port)
    process = start("manage.py", "serve", env=env, log=tmp_path / "serve.log")
    try:
        wait_until(is_up(port), seconds=240)

        process.send_signal(signal.SIGKILL)
        process.wait()

        wait_until(lambda: not processes_with(str(tmp_path)), seconds=15)
        with pytest.raises((urllib.error.URLError, OSError)):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2)
    finally:
        for pid in processes_with(str(tmp_path)):
            os.kill(pid, signal.SIGKILL)


def test_the_demonstration_refuses_a_port_that_portals_do_not_talk_to(tmp_path):
    env = {name: value for name, value in environment(tmp_path).items() if not name.startswith("PORTAL_")}

    answer = manage("demo", "--port", "9298", "--data-dir", str(tmp_path / "demo"), env=env)

    assert answer.returncode == 2 and "port 9300 belongs to another kind of server" in answer.stderr
    assert not (tmp_path / "demo").exists()


def test_the_demonstration_refuses_a_busy_port_with_a_sentence(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        env = {name: value for name, value in environment(tmp_path).items() if not name.startswith("PORTAL_")}

        answer = manage("demo", "--port", str(port - 1), "--data-dir", str(tmp_path), env=env)

    assert answer.returncode == 2 and f"127.0.0.1:{port} cannot be used" in answer.stderr
    assert isinstance(answer, subprocess.CompletedProcess) and "Traceback" not in answer.stderr
