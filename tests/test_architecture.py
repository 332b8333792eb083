"""federation -> quality -> catalog, downwards only; no app imports config; elasticsearch_dsl lives in one file."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FORBIDDEN = {"catalog": {"quality", "federation", "config"}, "quality": {"federation", "config"}, "federation": {"config"}}
TOP_LEVEL = {
    "manage.py", "requirements.txt", "catalog", "quality", "federation", "templates", "static", "tests", "deploy",
    "README.md", "CHANGELOG.md", "LICENSE", "pyproject.toml", "Makefile", "docs", "config", ".ci", ".gitignore", ".git", ".dockerignore",
}  # fmt: skip
LOCAL = {".venv", "var", ".pytest_cache", ".ruff_cache", "__pycache__", ".hypothesis"}


def imports(path: Path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


@pytest.mark.parametrize("app", FORBIDDEN)
def test_imports_run_downwards_only(app):
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in (ROOT / app).rglob("*.py")
        for name in imports(path)
        if name.split(".")[0] in FORBIDDEN[app]
    ]

    assert wrong == []


def test_elasticsearch_is_imported_in_one_file():
    users = {
        str(path.relative_to(ROOT))
        for app in ("catalog", "quality", "federation", "config")
        for path in (ROOT / app).rglob("*.py")
        for name in imports(path)
        if name.split(".")[0] in ("elasticsearch", "elasticsearch_dsl")
    }

    assert users <= {"catalog/search/backends/elastic_client.py"}


def test_the_top_level_is_the_design_cards():
    assert {path.name for path in ROOT.iterdir()} - TOP_LEVEL - LOCAL == set()
