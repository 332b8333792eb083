"""Speed of search over real titles through the HTTP API, all facets counted: python tests/benchmarks/search_speed.py [--count N].

Uses a database of its own in a temporary folder (or DATABASE_URL, which must be empty; and ELASTICSEARCH_URL) and shared titles; prints one table.
"""

import argparse
import datetime
import json
import os
import platform
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))
CLASSES = {
    "no words": [""],
    "widest": ["资料", "统计", "数据"],
    "two characters": ["地震", "学校", "农药", "医院", "水质"],
    "four characters": ["交通事故", "空气质量", "公共图书", "环境监测"],
    "several words": ["学校 统计", "医院 名册", "道路 施工"],
    "Latin": ["AI", "wifi", "traffic", "api"],
    "one character": ["水", "路", "a"],
    "nothing": ["鄱阳湖江豚声学", "qwxzqwxz"],
    "filtered": ["资料&sector=transport&grade=A&grade=none", "统计&updated=1y&region=330000", "&modality=image&license_type=none"],
    "sorted": ["资料&sort=updated", "统计&sort=title", "&sort=size"],
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--made", action="store_true", help="listings of generate_catalog instead of real titles")
    parser.add_argument("--clients", type=int, default=1, help="that ask at the same time, each from a process of its own")
    parser.add_argument("--writing", action="store_true", help="while listings are being added")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="jimu-bench-") as folder:
        start_django(folder)
        build = make(options.count) if options.made else fill(options.count)
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(options.count)], cwd=ROOT) if options.writing else None
        others = [os.fork() or ask_until_killed() for _client in range(options.clients - 1)]
        try:
            report(options, build, measure(options.rounds), folder)
        finally:
            for pid in others:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            if writer:
                writer.kill()
                writer.wait()


WRITER = """
import os, sys
sys.path.insert(0, os.getcwd())
import django
django.setup()
from catalog.generated import writing
writing.BATCH = 200
writing.generate(int(sys.argv[1]) + 1_000_000, seed=2)
"""


def ask_until_killed() -> None:
    from django.db import connection
    from django.test import Client

    connection.close()
    client, paths = Client(), [f"/api/v1/datasets/?q={query}" for queries in CLASSES.values() for query in queries]
    while True:
        for path in paths:
            client.get(path)


def make(count: int) -> dict:
    from catalog.generated import writing
    from catalog.search.backends import get_backend

    start, worked = time.perf_counter(), time.process_time()
    writing.generate(count)
    print(f"made and indexed in {time.perf_counter() - start:.0f} s, {count / (time.process_time() - worked):,.0f} listings per CPU s", flush=True)
    start, worked = time.perf_counter(), time.process_time()
    get_backend().build()
    print(f"search_index build: {time.perf_counter() - start:.0f} s, {time.process_time() - worked:.0f} CPU s", flush=True)
    return {"count": count, "engine": get_backend().name}


def resident() -> int:
    """MB of this process."""
    return int(Path("/proc/self/status").read_text().split("VmRSS:")[1].split()[0]) // 1024


def start_django(folder: str) -> None:
    os.environ |= {"PORTAL_DEBUG": "1", "PORTAL_DATA_DIR": folder, "DJANGO_SETTINGS_MODULE": "config.settings", "PORTAL_LOG_LEVEL": "ERROR"}
    import django
    from django.conf import settings
    from django.core.management import call_command

    django.setup()
    settings.DEBUG = False  # query logging off, as in service
    settings.ALLOWED_HOSTS = ["*"]
    call_command("migrate", verbosity=0)
    call_command("load_vocabularies", verbosity=0)


def titles(count: int):
    """Real (title, description, publisher, keywords); from the second pass on with a number behind the title."""
    places = [os.environ.get("JIMU_SHARED"), ROOT.parent / "shared", ROOT.parent.parent / "shared"]
    folder = next((Path(place) for place in places if place and Path(place).is_dir()), None)
    if folder is None:
        sys.exit("The shared test data are not here: set JIMU_SHARED.")
    lines = (folder / "data" / "relevance" / "corpus.jsonl").read_text(encoding="utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    for at in range(count):
        record = records[at % len(records)]
        suffix = f" {at // len(records) + 1}" if at >= len(records) else ""
        yield record["title"][:290] + suffix, record["description"], record["publisher"] or "—", record["keywords"]


def fill(count: int) -> dict:
    from django.utils import timezone

    from catalog.ids import dataset_urn, new_uid
    from catalog.models import Dataset, Organization
    from catalog.search.backends import get_backend

    chance, now, organizations, made = random.Random(1), timezone.now(), {}, []
    for at, (title, description, publisher, keywords) in enumerate(titles(count)):
        if publisher not in organizations:
            organizations[publisher] = Organization.objects.create(name=publisher[:200], home_portal="cn")
        uid = new_uid()
        made.append(
            Dataset(
                title=title,
                description=description,
                keywords=keywords,
                organization=organizations[publisher],
                uid=uid,
                identifier=dataset_urn("cn", uid),
                home_portal="cn",
                status="listed",
                listed_at=now - datetime.timedelta(minutes=at),
                modalities=chance.sample(["text", "image", "audio", "video", "tabular"], chance.randint(0, 2)),
                sectors=chance.sample(["transport", "healthcare", "manufacturing", "education", "finance"], chance.randint(0, 2)),
                model_stages=chance.sample(["pretrain", "finetune", "eval"], chance.randint(0, 2)),
                region=chance.choice(["", "330000", "440000", "110000", "320000"]),
                knowledge_tier=chance.choice(["", "general", "industry_expert"]),
                grade=chance.choice(["", "A", "B", "C", "D"]),
                license_type=chance.choice(["", "open_source", "other"]),
                byte_size=chance.choice([None, 10 ** chance.randint(5, 14)]),
                modified=chance.choice([None, now.date() - datetime.timedelta(days=chance.randint(0, 900))]),
            )
        )
    Dataset.objects.bulk_create(made, batch_size=500)
    start = time.perf_counter()
    get_backend().index(made)
    seconds, start = time.perf_counter() - start, time.perf_counter()
    fed = get_backend().build() if get_backend().name == "elasticsearch" else 0
    return {"count": count, "seconds": seconds, "engine": get_backend().name, "fed": fed, "feeding": time.perf_counter() - start}


def measure(rounds: int) -> dict[str, list[tuple[float, float]]]:
    from django.test import Client

    client, results = Client(), {}
    answer = client.get("/api/v1/datasets/?q=数据")
    if answer.status_code != 200 or answer.json()["degraded"]:
        sys.exit(f"/api/v1/datasets/ answered {answer.status_code}, by {answer.json().get('engine')}")
    paths = {name: [f"/api/v1/datasets/?q={query}" for query in queries] for name, queries in CLASSES.items()}
    paths["page of results (HTML)"] = ["/datasets/?q=资料", "/datasets/?q=交通&grade=A"]
    paths["suggestions"] = ["/datasets/suggest/?q=交通", "/datasets/suggest/?q=a", "/datasets/suggest/?q=资"]
    for name, addresses in paths.items():
        results[name] = [timed(client, address) for _round in range(rounds) for address in addresses]
    return results


def timed(client, address: str) -> tuple[float, float]:
    """Milliseconds on the clock, and of the processor: the second does not mind what else the machine does."""
    start, worked = time.perf_counter(), time.process_time()
    answer = client.get(address)
    assert answer.status_code == 200, address
    return (time.perf_counter() - start) * 1000, (time.process_time() - worked) * 1000


def report(options, build: dict, results: dict[str, list[tuple[float, float]]], folder: str) -> None:
    version = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    print(f"{datetime.date.today()} · {version} · {os.cpu_count()} cores · Python {platform.python_version()} · {build['engine']}")
    if "seconds" in build:
        each = build["seconds"] / build["count"] * 1000
        print(f"{build['count']} listings indexed in {build['seconds']:.1f} s, {each:.2f} ms each")
    print(f"{options.rounds} rounds, {options.clients} clients{', while listings are added' if options.writing else ''}; {resident()} MB a process")
    file = Path(folder, "portal.sqlite3")
    if file.exists() and file.stat().st_size > 10**6:
        print(f"database file, records and index: {file.stat().st_size / 10**6:.0f} MB")
    if build.get("fed"):
        print(f"{build['fed']} compared and sent by search_index build in {build['feeding']:.1f} s")
    print(f"load while measuring: {os.getloadavg()[0]:.1f}")
    print("\n| query | first ms | p50 ms | p95 ms | first CPU ms | CPU p50 ms | CPU p95 ms |\n|---|---|---|---|---|---|---|")
    results["all through the API"] = [pair for name in CLASSES for pair in results[name]]
    for name, pairs in results.items():
        each = zip(*pairs, strict=True)
        figures = [value for times in each for value in (times[0], statistics.median(times), sorted(times)[int(len(times) * 0.95) - 1])]
        print(f"| {name} | " + " | ".join(f"{figure:.1f}" for figure in figures) + " |")


if __name__ == "__main__":
    main()
