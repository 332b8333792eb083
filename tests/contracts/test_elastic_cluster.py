"""Three real Elasticsearch nodes: the elected master dies by kill -9 while an import and queries run."""

import json
import threading
import time
import urllib.error
import urllib.request
import uuid
from urllib.parse import quote

import pytest

from tests.cluster import Cluster
from tests.processes import ROOT, end, environment, free_ports, manage, migrated, start, wait_until

pytestmark = [pytest.mark.services("ELASTICSEARCH_URL", "JIMU_ELASTICSEARCH_HOME"), pytest.mark.processes]
NOTHING = {"missing": [], "stale": [], "ghost": []}
BEFORE, IMPORTED = 1000, 4000


class Asking(threading.Thread):
    """Queries of a portal, one after another; what it got: (seconds, status, total, degraded)."""

    def __init__(self, base: str, text: str):
        super().__init__(daemon=True)
        self.url, self.answers, self.stopped = f"{base}/api/v1/datasets/?q={quote(text)}", [], threading.Event()

    def run(self):
        while not self.stopped.is_set():
            began = time.monotonic()
            try:
                with urllib.request.urlopen(self.url, timeout=60) as answer:
                    told = json.load(answer)
                    self.answers.append((time.monotonic() - began, answer.status, told["count"], told["degraded"]))
            except urllib.error.HTTPError as error:
                self.answers.append((time.monotonic() - began, error.code, 0, None))
            except OSError as error:
                self.answers.append((time.monotonic() - began, str(error), 0, None))


def test_the_master_dies_and_no_query_fails_and_nothing_is_missing(tmp_path):
    source = tmp_path / "list.csv"
    lines = (f"示例局 {n % 50},失主数据集 {n},说明 {n},每月,2024/03/18" for n in range(IMPORTED))
    source.write_text("\n".join(["提供机关,数据集名称,数据集描述,更新频率,发布日期", *lines]), encoding="utf-8")
    name = f"ind-{uuid.uuid4().hex[:8]}"
    serving = importing = None
    migrated(tmp_path)
    with Cluster() as cluster:
        port = free_ports()[0]  # after the nodes have taken theirs
        servers = {"ELASTICSEARCH_URL": ",".join(cluster.urls), "ELASTICSEARCH_SHARDS": "3", "ELASTICSEARCH_REPLICAS": "1"}
        env = environment(tmp_path, port, PORTAL_ROLE="industry", PORTAL_ID=name, PORTAL_BIND=f"127.0.0.1:{port}", **servers)
        for words in (("load_vocabularies",), ("generate_catalog", "--count", str(BEFORE))):
            done = manage(*words, env=env, timeout=400)
            assert done.returncode == 0, done.stderr[-2000:]
        cluster.wait_for_copies(f"jimu-{name}")
        assert cluster.get(f"/jimu-{name}/_count")["count"] == BEFORE
        base, asking = f"http://127.0.0.1:{port}", []
        try:
            serving = start(str(ROOT / "manage.py"), "serve", "--bind", f"127.0.0.1:{port}", env=env, log=tmp_path / "serve.log")
            wait_until(lambda: answers(f"{base}/healthz"), 240)
            asking = [Asking(base, text) for text in ("示例", "数据")]
            for thread in asking:
                thread.start()
            log = tmp_path / "import.log"
            importing = start(str(ROOT / "manage.py"), "import_catalog", str(source), "--json", env=env, log=log)
            wait_until(lambda: cluster.get(f"/jimu-{name}/_count")["count"] > BEFORE, 240)
            assert importing.poll() is None, "the import ended before the master died"

            killed = cluster.master()
            cluster.kill(killed)

            assert importing.wait(400) == 0, log.read_text()[-2000:]
            assert wait_until(cluster.master, 60) != killed
            time.sleep(2)
        finally:
            for thread in asking:
                thread.stopped.set()
            for thread in asking:
                thread.join(60)
            end(importing)
            told = json.loads(manage("search_index", "check", "--json", env=env, timeout=400).stdout or "null")
            end(serving)

    got = [answer for thread in asking for answer in thread.answers]
    assert len(got) > 20 and {status for _seconds, status, _count, _degraded in got} == {200}, got
    assert min(count for _seconds, _status, count, _degraded in asking[0].answers) >= BEFORE  # never part of the shards
    assert max(seconds for seconds, *_rest in got) < 20
    assert told == NOTHING


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False
