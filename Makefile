# What a developer or a visitor types. `make run` and `make test` need Python 3.11 and git, no server.
PYTHON ?= python3.11
PORT ?= 8000
VENV := .venv
PY := $(VENV)/bin/python
STATIC := $(shell find static -type f 2>/dev/null)
SERVICES_ENV := . ./var/services/env 2>/dev/null || true;
# Without a server of its own, a command that only reads the code needs no secret.
DEVELOP := PORTAL_DEBUG=1

.DEFAULT_GOAL := help
.PHONY: help setup run test test-services bench bench-federation lint format messages services services-stop clean

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1 — /p' $(MAKEFILE_LIST)

setup: $(VENV)/.installed var/static/staticfiles.json  ## packages into .venv, static files into var/static

# uv takes seconds where pip takes minutes; it comes from PyPI like the rest, and pip does where it cannot be had.
$(VENV)/.installed: requirements.txt
	@command -v $(PYTHON) >/dev/null || { echo "make: $(PYTHON) is not installed; set PYTHON=/path/to/python3.11." >&2; exit 2; }
	@test -x $(PY) || $(PYTHON) -m venv $(VENV) || { echo "make: $(PYTHON) cannot make a virtual environment (Debian: python3-venv)." >&2; exit 2; }
	@$(PY) -m pip install --quiet --disable-pip-version-check uv || true
	@if $(PY) -m uv --version >/dev/null 2>&1 && $(PY) -m uv pip install --quiet --python $(PY) -r requirements.txt; then :; \
	else echo "make: uv did not install the packages; pip does, which takes some minutes."; \
	  $(PY) -m pip install --quiet --disable-pip-version-check -r requirements.txt; fi
	@touch $@

var/static/staticfiles.json: $(VENV)/.installed $(STATIC)
	@PORTAL_SECRET_KEY=collects-static-files-only-and-serves-nothing-at-all PORTAL_DEBUG=0 PORTAL_DATA_DIR=var/build $(PY) manage.py collectstatic --no-input --verbosity 0 --ignore redoc
	@touch $@

run: setup  ## three portals with content at http://127.0.0.1:8000 (PORT=…), :8001 and :8002
	@exec $(PY) manage.py demo --port $(PORT)

test: setup  ## the whole suite; what needs a server or Chromium says why it is skipped
	@$(PY) -m pytest $(ARGS)

test-services: setup  ## the suite on the PostgreSQL, Redis and Elasticsearch that `make services` started
	@test -f var/services/env || { echo "make: run 'make services' first." >&2; exit 2; }
	@$(SERVICES_ENV) PORTAL_REQUIRE_SERVICES=1 $(PY) -m pytest $(ARGS)

bench: setup  ## tables of figures for docs/performance.md, one after the other (each file alone: python tests/benchmarks/NAME_speed.py)
	@for file in tests/benchmarks/*_speed.py; do echo "== $$file"; PYTHONPATH=. $(DEVELOP) $(PY) "$$file" || exit 1; done

bench-federation: setup  ## backfill and dead portals with simulated feeds (on the empty database of DATABASE_URL, else SQLite)
	@PYTHONPATH=. $(DEVELOP) $(PY) tests/benchmarks/federation_scale.py $(ARGS)

# Built SQL and marked HTML: ruff finds the same (S608, S308), and each exception stands with its reason on its line.
TOLD_BY_RUFF := B308,B608,B703

lint: setup  ## ruff, format and bandit
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/bandit --quiet --recursive --severity-level medium --skip $(TOLD_BY_RUFF) catalog quality federation config manage.py

format: setup  ## let ruff set the code
	@$(VENV)/bin/ruff check --fix .
	@$(VENV)/bin/ruff format .

messages: setup  ## bring the English words (config/locale/en) up to the sources and compile them
	@$(DEVELOP) $(PY) -m tests.messages

services:  ## start PostgreSQL, Redis and Elasticsearch; their addresses stand in var/services/env
	@deploy/services.sh start

services-stop:  ## stop them
	@deploy/services.sh stop

clean:  ## forget packages, collected files and the demonstration
	@rm -rf $(VENV) var/static var/demo var/build
