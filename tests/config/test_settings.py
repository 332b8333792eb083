"""A wrong setting stops the start with one clear sentence; a right one passes the deployment check."""

import ast
import re

import pytest

from tests.processes import ROOT, environment, manage

WRONG = [
    ({"PORTAL_SECRET_KEY": ""}, "Set PORTAL_SECRET_KEY"),
    ({"PORTAL_SECRET_KEY": "short"}, "PORTAL_SECRET_KEY is shorter than 40"),
    ({"PORTAL_ROLE": "regional"}, "PORTAL_ROLE='regional' is none of: national, local, industry"),
    ({"PORTAL_ROLE": "local"}, "Set PORTAL_ID"),
    ({"PORTAL_ROLE": "local", "PORTAL_ID": "cn"}, "PORTAL_ID='cn' is not an id for PORTAL_ROLE=local"),
    ({"PORTAL_BASE_URL": "ftp://x"}, "PORTAL_BASE_URL='ftp://x' does not start with http:// or https://"),
    ({"PORTAL_BASE_URL": "http://x:port"}, "PORTAL_BASE_URL='http://x:port' is not an address"),
    ({"PORTAL_BASE_URL": "http://"}, "PORTAL_BASE_URL='http://' names no host"),
    ({"PORTAL_UPLOAD_MAX_BYTES": "200MB"}, "PORTAL_UPLOAD_MAX_BYTES='200MB' is not a whole number"),
    ({"PORTAL_WEB_WORKERS": "0"}, "PORTAL_WEB_WORKERS=0 is outside 1 to 64"),
    ({"PORTAL_DEBUG": "maybe"}, "PORTAL_DEBUG='maybe' is neither 1 nor 0"),
    ({"PORTAL_ALLOWED_PRIVATE_NETWORKS": "10.0.0"}, "PORTAL_ALLOWED_PRIVATE_NETWORKS: '10.0.0' is not a network"),
    ({"DATABASE_URL": "mysql://x/y"}, "DATABASE_URL='mysql://"),
    ({"REDIS_URL": "localhost:6379"}, "REDIS_URL='localhost:6379' does not start with redis://"),
    ({"ELASTICSEARCH_URL": "localhost:9200"}, "ELASTICSEARCH_URL='localhost:9200' does not start with http://"),
    ({"PORTAL_METRICS_TOKEN": "abc"}, "PORTAL_METRICS_TOKEN='***' is not a token"),
    ({"PORTAL_API_RATE_USER": "many"}, "PORTAL_API_RATE_USER='many' is not a rate"),
    ({"PORTAL_LOG_LEVEL": "loud"}, "PORTAL_LOG_LEVEL='loud' is none of"),
    ({"PORTAL_S3_BUCKET": "b", "PORTAL_S3_ENDPOINT": "minio:9000"}, "PORTAL_S3_ENDPOINT='minio:9000' does not start with"),
]


@pytest.mark.parametrize(("values", "sentence"), WRONG, ids=lambda value: ",".join(value) if isinstance(value, dict) else "")
def test_a_wrong_value_stops_the_start_with_one_sentence(tmp_path, values, sentence):
    answer = manage("check", env=environment(tmp_path, **values))

    assert answer.returncode == 2
    assert sentence in answer.stderr
    assert len(answer.stderr.strip().splitlines()) == 1


def test_secrets_are_not_printed_in_the_sentence(tmp_path):
    answer = manage("check", env=environment(tmp_path, DATABASE_URL="mysql://jimu:hunter22@db/jimu"))

    assert answer.returncode == 2 and "hunter22" not in answer.stderr


@pytest.mark.parametrize(
    "values",
    [
        {"PORTAL_BASE_URL": "https://portal.example.org", "PORTAL_TRUSTED_PROXIES": "1"},
        {"PORTAL_BASE_URL": "https://zj.example.org", "PORTAL_ROLE": "local", "PORTAL_ID": "cn-33"},
    ],
    ids=["national", "local"],
)
def test_the_deployment_check_finds_nothing_in_a_right_environment(tmp_path, values):
    answer = manage("check", "--deploy", "--fail-level", "WARNING", env=environment(tmp_path, **values))

    assert answer.returncode == 0, answer.stderr
    assert "no issues" in answer.stdout


def variables_read() -> set[str]:
    """Names in calls of the env_ readers."""
    tree = ast.parse((ROOT / "config" / "settings.py").read_text(encoding="utf-8"))
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and getattr(node.func, "id", "").startswith("env_"))
    return {call.args[0].value for call in calls}


def test_the_example_environment_names_every_variable_that_settings_read():
    named = set(re.findall(r"^#?([A-Z][A-Z0-9_]+)=", (ROOT / "deploy" / "env.example").read_text(encoding="utf-8"), flags=re.MULTILINE))

    assert named == variables_read()


def test_the_operators_guide_explains_every_variable():
    guide = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")

    assert [name for name in sorted(variables_read()) if f"`{name}`" not in guide] == []
