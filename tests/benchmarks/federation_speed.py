"""How many listings a second a portal takes over from a peer's feed: signatures, pages, records, audit, index, all as in service.

.venv/bin/python -m tests.benchmarks.federation_speed [COUNT]
"""

import sys
import time

from tests.benchmarks import setting


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    setting.start()
    from federation.services.sync import pull_stream
    from tests.federation.fake_portal import FakePortal, Network

    portal = FakePortal()
    identifiers = [portal.put(title=f"示例数据集 {number}", resources=[file(portal)]) for number in range(count)]
    print(setting.machine(), "\n", flush=True)
    print("| pull | listings | seconds | CPU s | listings/s | per CPU s |\n|---|---|---|---|---|---|", flush=True)
    network = Network(portal)
    measure("new", portal, pull_stream)
    for number, identifier in enumerate(identifiers):
        portal.put(identifier, rev=2, title=f"示例数据集 {number}，修订", resources=[file(portal)])
    measure("changed", portal, pull_stream)
    network.close()


def file(portal) -> dict:
    from catalog.ids import new_uid

    return {"uid": str(new_uid()), "name": "a.csv", "kind": "file", "format": "CSV", "download_url": "https://example.org/a.csv"}


def measure(name, portal, pull_stream) -> None:
    begun, worked = time.perf_counter(), time.process_time()
    run = pull_stream(portal.peer, "listings")
    took, cpu = time.perf_counter() - begun, time.process_time() - worked
    assert not run.error and not run.quarantined, (run.error, run.quarantined)
    print(f"| {name} | {run.applied} | {took:.1f} | {cpu:.1f} | {run.applied / took:,.0f} | {run.applied / cpu:,.0f} |", flush=True)


if __name__ == "__main__":
    main()
