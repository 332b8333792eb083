"""A cluster of real Elasticsearch nodes of a test's own, started by deploy/services.sh cluster."""

import json
import os
import signal
import subprocess
import time
import urllib.request
from pathlib import Path

from tests.processes import ROOT, free_ports, wait_until


class Cluster:
    """`urls` of all nodes; kill(name) is kill -9. Use as a context manager."""

    def __init__(self, nodes: int = 3):
        self.nodes = nodes
        self.http, *_rest = free_ports(2 * nodes)
        self.urls = [f"http://127.0.0.1:{self.http + at}" for at in range(nodes)]

    def _run(self, action: str) -> None:
        env = os.environ | {"JIMU_CLUSTER_PORT": str(self.http), "JIMU_CLUSTER_NODES": str(self.nodes)}
        done = subprocess.run([str(ROOT / "deploy/services.sh"), "cluster", action], env=env, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr

    def __enter__(self):
        self._run("start")
        return self

    def __exit__(self, *_details):
        self._run("stop")

    def get(self, path: str, seconds: float = 5) -> object:
        """The answer of the first node that gives one."""
        for url in self.urls:
            try:
                with urllib.request.urlopen(url + path, timeout=seconds) as answer:
                    return json.load(answer)
            except OSError:
                continue
        raise ConnectionError(path)

    def master(self) -> str:
        return self.get("/_cat/master?format=json")[0]["node"]

    def pid(self, name: str) -> int:
        """As the node itself tells it: the pid file may name its launcher."""
        nodes = self.get("/_nodes/process")["nodes"].values()
        return next(node["process"]["id"] for node in nodes if node["name"] == name)

    def kill(self, name: str) -> None:
        pid = self.pid(name)
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not Path(f"/proc/{pid}").exists() or "Z" in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2][:3], 10)

    def wait_for_copies(self, alias: str, seconds: float = 60) -> None:
        """Until every shard of the index has its copy: only then does losing a node lose nothing."""
        wait_until(lambda: self.get(f"/_cluster/health/{alias}")["status"] == "green", seconds)
        time.sleep(0.2)
