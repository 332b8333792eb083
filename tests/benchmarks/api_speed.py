"""Requests a second and their times through the real web server: two workers, a few clients on loopback that keep their connections.

    .venv/bin/python -m tests.benchmarks.api_speed [--count 20000] [--requests 400] [--clients 4] [--port 8150]

The clients share the machine with the server, so that the figures are what this machine gives to both.
"""

import argparse
import http.client
import os
import subprocess
import sys
import threading
import time

from tests.benchmarks import setting

WORKERS = 2


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--requests", type=int, default=400)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--port", type=int, default=8150)
    options = parser.parse_args()
    folder = setting.start()
    uid = fill(options.count)
    server = serve(folder, options.port)
    try:
        report(options, uid)
    finally:
        server.terminate()
        server.wait(timeout=20)


def fill(count: int) -> str:
    from django.core.management import call_command
    from django.db import connection

    from catalog.models import Dataset
    from catalog.search.backends import get_backend

    setting.listings(count)
    get_backend().build()
    call_command("collectstatic", interactive=False, verbosity=0)
    uid = str(Dataset.objects.order_by("pk")[count // 2].uid)
    connection.close()
    return uid


def serve(folder, port: int) -> subprocess.Popen:
    command = [sys.executable, "-m", "granian", "config.wsgi:application", "--interface", "wsgi", "--http", "1", "--no-ws", "--host", "127.0.0.1"]
    command += ["--port", str(port), "--workers", str(WORKERS), "--blocking-threads", "2", "--log-level", "error"]
    log = open(folder / "server.log", "wb")
    server = subprocess.Popen(command, cwd=setting.ROOT, env=os.environ | {"PYTHONUNBUFFERED": "1"}, stdout=log, stderr=log)
    for _attempt in range(300):
        try:
            get(http.client.HTTPConnection("127.0.0.1", port, timeout=30), "/api/v1/datasets/")
            return server
        except (OSError, http.client.HTTPException):
            time.sleep(0.2)
    server.terminate()
    sys.exit(f"The server did not answer; see {folder}/server.log")


def get(connection, path: str) -> int:
    connection.request("GET", path, headers={"Accept-Encoding": "identity"})
    answer = connection.getresponse()
    answer.read()
    return answer.status


def report(options, uid: str) -> None:
    paths = {
        "REST list of 20, all facets": "/api/v1/datasets/",
        "REST list of 20, two-character query": "/api/v1/datasets/?q=数据",
        "REST dataset": f"/api/v1/datasets/{uid}/",
        "page of results (HTML)": "/datasets/",
        "dataset page (HTML)": f"/datasets/{uid}/",
        "home page (HTML)": "/",
    }
    print(setting.machine())
    print(f"{options.count} listings, {WORKERS} workers, {options.clients} clients, {options.requests} requests each line\n")
    print("| request | requests/s | p50 ms | p95 ms | p99 ms |\n|---|---|---|---|---|", flush=True)
    for name, path in paths.items():
        path = path.replace("数据", "%E6%95%B0%E6%8D%AE")
        load(options.port, path, options.clients, 8 * WORKERS)  # every worker has its index and templates in memory
        times, seconds = load(options.port, path, options.clients, options.requests)
        p50, p95, p99 = (times[min(int(len(times) * share), len(times) - 1)] * 1000 for share in (0.5, 0.95, 0.99))
        print(f"| {name} | {len(times) / seconds:.0f} | {p50:.1f} | {p95:.1f} | {p99:.1f} |", flush=True)


def load(port: int, path: str, clients: int, requests: int) -> tuple[list[float], float]:
    """(times of all requests in order of length, seconds from first to last)."""
    times: list[float] = []
    wrong: list = []

    def client():
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        for _number in range(requests // clients):
            start = time.perf_counter()
            status = get(connection, path)
            times.append(time.perf_counter() - start)
            if status != 200:
                wrong.append(status)
        connection.close()

    threads = [threading.Thread(target=client) for _client in range(clients)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - begun
    if wrong:
        sys.exit(f"{path} answered {wrong[:5]}")
    return sorted(times), seconds


if __name__ == "__main__":
    main()
