"""The server profile on real servers: Elasticsearch answers, and a portal on PostgreSQL and Redis does its jobs."""

import json
import os
import urllib.request
import uuid
from urllib.parse import urlsplit

import psycopg2
import pytest

from tests.config.test_serving import get, is_up
from tests.processes import end, environment, free_ports, manage, start, wait_until

pytestmark = pytest.mark.services("DATABASE_URL", "REDIS_URL", "ELASTICSEARCH_URL")


def test_elasticsearch_answers_with_its_health():
    with urllib.request.urlopen(f"{os.environ['ELASTICSEARCH_URL']}/_cluster/health", timeout=20) as answer:
        health = json.load(answer)

    assert health["status"] in ("green", "yellow") and health["number_of_nodes"] >= 1


@pytest.fixture
def database():
    """The URL of an empty database that lives as long as the test."""
    name, server = f"jimu_test_{uuid.uuid4().hex[:12]}", os.environ["DATABASE_URL"]
    link = psycopg2.connect(server)
    link.autocommit = True
    with link.cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{name}"')
        yield urlsplit(server)._replace(path=f"/{name}").geturl()
        cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    link.close()


def state_of_jobs(url) -> list[tuple]:
    with psycopg2.connect(url) as link, link.cursor() as cursor:
        cursor.execute("SELECT state, attempts FROM catalog_job WHERE kind = 'test-slow'")
        return cursor.fetchall()


def test_a_portal_on_postgresql_and_redis_serves_pages_and_finishes_a_job(tmp_path, database):
    (port,) = free_ports()
    # a queue of its own: other portals of this machine may use the same Redis
    env = environment(tmp_path, port, PORTAL_ROLE="industry", PORTAL_ID=f"ind-{uuid.uuid4().hex[:8]}", DATABASE_URL=database)
    env |= {"REDIS_URL": os.environ["REDIS_URL"], "PORTAL_TASK_WORKERS": "1"}
    assert manage("migrate", "--verbosity", "0", env=env).returncode == 0
    assert manage("load_vocabularies", "--verbosity", "0", env=env).returncode == 0
    words = ("-m", "celery", "--quiet", "--app", "config", "worker", "--pool", "threads", "--concurrency", "1", "--include", "tests.slow_job")
    processes = [start("-m", "gunicorn", "config.wsgi:application", "--bind", f"127.0.0.1:{port}", env=env, log=tmp_path / "web.log")]
    try:
        processes.append(start(*words, "--loglevel", "WARNING", env=env, log=tmp_path / "worker.log"))
        code = f"from catalog.jobs import enqueue; enqueue('test-slow', {{'notes': {str(tmp_path / 'notes')!r}, 'steps': 3}})"
        assert manage("shell", "--no-imports", "-c", code, env=env).returncode == 0

        wait_until(lambda: state_of_jobs(database) == [("done", 1)], seconds=60)
        wait_until(is_up(port), seconds=60)
        assert get(port, "/datasets/").status == 200
        assert not list(tmp_path.glob("queue/*.msg"))
    finally:
        for process in processes:
            end(process)
