"""The files of deploy/: the entry point and gunicorn behind Debian's nginx for real; what needs a container engine, by reading it."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.config.test_serving import get, is_up, upload_300_mb
from tests.processes import ROOT, environment, free_ports, migrated, processes_with, wait_until

DEPLOY = ROOT / "deploy"
NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


def entry_point(word, env, folder):
    """deploy/entrypoint.sh with this project's Python in front, as the image and the units set it."""
    env = env | {"PATH": f"{Path(sys.executable).parent}:{env['PATH']}"}
    with (folder / f"{word}.log").open("ab") as log:
        return subprocess.Popen([str(DEPLOY / "entrypoint.sh"), word], env=env, cwd="/", stdout=log, stderr=log, start_new_session=True)


def nginx_configuration(folder, web, plain):
    """The shipped file with ports, names and folders of this test; plain http, since a certificate is the operator's."""
    text = (DEPLOY / "nginx.conf").read_text()
    text = text.replace("/tmp/", f"{folder}/")  # first: the checkout itself may lie below /tmp
    text = text.replace("server web:8000;", f"server 127.0.0.1:{web};")
    text = text.replace("listen 443 ssl http2;", f"listen 127.0.0.1:{plain};").replace("listen 80;", f"listen 127.0.0.1:{plain + 1};")
    text = re.sub(r"^\s+ssl_.*;\n", "", text, flags=re.MULTILINE).replace("/srv/jimu/static/", f"{ROOT}/var/static/")
    text = text.replace("/dev/stdout", f"{folder}/access.log").replace("/dev/stderr", f"{folder}/error.log")
    path = folder / "nginx.conf"
    path.write_text(("user root;\n" if os.getuid() == 0 else "") + text)
    return path


@pytest.fixture(scope="module")
def behind_nginx(tmp_path_factory):
    if not NGINX:
        if os.environ.get("PORTAL_REQUIRE_SERVICES") == "1":
            pytest.fail("needs nginx (Debian: nginx-light)")
        pytest.skip("needs nginx (Debian: nginx-light)")
    folder, (web, plain, _) = tmp_path_factory.mktemp("deploy"), free_ports(3)
    env = environment(folder, plain, PORTAL_TRUSTED_PROXIES="1", JIMU_BIND=f"127.0.0.1:{web}")
    processes = []
    try:
        prepared = entry_point("migrate", env, folder)
        assert prepared.wait(timeout=240) == 0, (folder / "migrate.log").read_text()
        processes.append(entry_point("web", env, folder))
        configuration = nginx_configuration(folder, web, plain)
        processes.append(subprocess.Popen([NGINX, "-c", str(configuration), "-g", "daemon off;"], start_new_session=True))
        wait_until(is_up(plain), seconds=60)
        yield plain, web
        for process in processes:
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=20) == 0
    finally:
        for pid in processes_with(str(folder)):
            os.kill(pid, signal.SIGKILL)


@pytest.mark.processes
def test_pages_and_static_files_come_through_nginx(behind_nginx):
    page = get(behind_nginx[0], "/")
    sheet = page.body.split('<link rel="stylesheet" href="')[1].split('"')[0]
    style = get(behind_nginx[0], sheet, **{"Accept-Encoding": "gzip"})

    assert page.status == 200 and "Content-Security-Policy" in page.headers
    assert style.status == 200 and style.headers["Content-Encoding"] == "gzip" and "immutable" in style.headers["Cache-Control"]


@pytest.mark.processes
def test_a_300_mb_upload_gets_the_portals_sentence_from_nginx(behind_nginx):
    # nginx answers at once, then reads and drops what comes, so that the client is not cut off before it hears the answer
    page, _ = upload_300_mb(behind_nginx[0], "/register/")
    problem, _ = upload_300_mb(behind_nginx[0], "/api/v1/datasets/")

    assert page.startswith("HTTP/1.1 413") and "超过本门户的上限 200 MB" in page
    assert problem.startswith("HTTP/1.1 413") and "application/problem+json" in problem


@pytest.mark.processes
def test_a_300_mb_upload_gets_the_sentence_from_gunicorn_itself(behind_nginx):
    answer, sent = upload_300_mb(behind_nginx[1], "/register/")

    assert answer.startswith("HTTP/1.1 413") and "上传了 300 MB" in answer and sent < 50 * 2**20


@pytest.mark.processes
def test_figures_and_forged_client_addresses_do_not_pass_nginx(behind_nginx):
    assert get(behind_nginx[0], "/metrics").status == 404
    assert get(behind_nginx[0], "/", **{"X-Forwarded-For": "127.0.0.1"}).status == 200


@pytest.mark.processes
@pytest.mark.parametrize("word", ["worker", "clock"])
def test_the_entry_point_starts_worker_and_clock_and_hands_them_the_signal(tmp_path, word):
    env = environment(tmp_path)
    migrated(tmp_path)

    process = entry_point(word, env, tmp_path)
    wait_until(lambda: (tmp_path / "queue").exists() or (tmp_path / "beat-schedule.dat").exists() or process.poll() is not None, seconds=60)
    time.sleep(2)
    assert process.poll() is None, (tmp_path / f"{word}.log").read_text()
    process.send_signal(signal.SIGTERM)

    assert process.wait(timeout=20) == 0
    assert "Traceback" not in (tmp_path / f"{word}.log").read_text()


def test_compose_names_files_and_settings_that_exist():
    yaml = pytest.importorskip("yaml")
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    build = compose["services"]["web"]["build"]
    known = set(re.findall(r"^#?([A-Z0-9_]+)=", (DEPLOY / "env.example").read_text(), flags=re.MULTILINE))

    assert (DEPLOY / build["context"] / build["dockerfile"]).is_file()
    assert set(compose["services"]) == {"migrate", "web", "worker", "clock", "nginx", "postgres", "redis", "elasticsearch"}
    assert set(compose["services"]["web"]["environment"]) <= known
    assert all((DEPLOY / volume.split(":")[0]).is_file() for volume in compose["services"]["nginx"]["volumes"] if volume.startswith("./"))
    assert compose["services"]["elasticsearch"]["environment"]["xpack.security.enabled"] == "true"


def test_the_image_copies_what_exists_and_does_not_run_as_root():
    lines = (DEPLOY / "Dockerfile").read_text().splitlines()
    sources = [word for line in lines if line.startswith("COPY ") and "--from" not in line for word in line.split()[1:-1]]

    assert sources and all((ROOT / source).exists() for source in sources)
    assert "USER jimu" in lines


@pytest.mark.parametrize("unit", sorted((DEPLOY / "systemd").glob("*.service")), ids=lambda path: path.name)
def test_units_start_what_exists(unit):
    command = re.search(r"^ExecStart=(.+)$", unit.read_text(), flags=re.MULTILINE)[1]

    files = re.findall(r"/srv/jimu/app/(deploy/\S+)|(manage\.py)", command)
    assert files and all((ROOT / (a or b)).is_file() for a, b in files)
