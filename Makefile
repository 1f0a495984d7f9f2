# The two commands: `make demo` (look at it) and `make test` (prove it). Nothing has to be installed by hand before either.
#   make install   build .venv from the lock file           make lock    choose the newest versions, write both lock files
#   make fmt       format and fix what can be fixed alone    make clean   forget everything that was built
#   make check     format, lint, types, import contracts     make hooks   run the checks before each commit
#   make bench     what each request costs                   make profile OP=week SIZE=10000   where its time goes
#   make conformance   what other people's test programs say about it
#   make catalogs   bring what the pages say into the catalogs of their languages

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

PYTHON ?= python3
PORT ?= 8080
DATA ?= data/demo
TESTS ?= tests

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
# Everything is pinned with its hash and named in the lock file: pip has nothing to decide and nothing to look up.
FROM_LOCK := install -qq --no-user --no-deps --require-hashes --requirement
ITSELF := install -qq --no-user --no-deps --no-index --no-build-isolation --editable .
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
	--no-emit-index-url --no-emit-find-links --upgrade

.PHONY: help install install-dev packages demo check test soak lock bench profile conformance catalogs fmt hooks clean

help:
	@sed -n '1,8s/^# \{0,1\}//p' Makefile

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.11 …" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || .ci/packages python3-venv
	@echo "Building .venv from the lock file …" >&2
	@$(PYTHON) -m venv .venv

# The lock for the tests contains the lock for running: whoever has the first never needs the second.
.venv/installed: requirements.lock pyproject.toml | $(BIN)/python
	@$(PIP) $(FROM_LOCK) requirements.lock
	@$(PIP) $(ITSELF)
	@touch $@

.venv/installed-dev: requirements-dev.lock pyproject.toml | $(BIN)/python
	@$(PIP) $(FROM_LOCK) requirements-dev.lock
	@$(PIP) $(ITSELF)
	@touch .venv/installed $@

install: .venv/installed

install-dev: .venv/installed-dev

packages:
	@.ci/packages chromium

demo: install
	@exec $(BIN)/gateway demo --port "$(PORT)" --data "$(DATA)"

check: install-dev
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

# pytest's closing line is the last one printed, so that people and machines read the result in one place.
test: install-dev packages
	@$(MAKE) --no-print-directory check
	@$(BIN)/python -m pytest -n 2 --dist worksteal $(TESTS)

# What each request costs, beside a stock Radicale: ten minutes. BENCH takes its options (--sizes 1000 --against gateway).
BENCH ?= --store --picture docs/bench.svg
bench: install-dev
	@$(BIN)/python -m bench $(BENCH)

# Where one request spends its time: make profile OP=week SIZE=10000 SIDE=appointments
OP ?= week
SIZE ?= 1000
SIDE ?= gateway
profile: install-dev
	@$(BIN)/python -m bench --profile $(OP) --sizes $(SIZE) --against $(SIDE)

# Other people's test programs against a demo, in a virtual environment of their own: a minute or two. CLIENTS is the folder with the
# checks by real calendar programs, where there is one. Draws docs/compliance.md again; fails on a case that nobody has explained.
CLIENTS ?= ../shared/tools/clients
PROGRAMS := .venv-conformance
$(PROGRAMS)/installed: conformance/requirements.txt | $(BIN)/python
	@$(PYTHON) -m venv $(PROGRAMS)
	@$(PROGRAMS)/bin/python -m pip --disable-pip-version-check --no-input install -qq --no-user --requirement conformance/requirements.txt
	@touch $@

conformance: install $(PROGRAMS)/installed
	@.ci/packages litmus $(if $(wildcard $(CLIENTS)/thunderbird_check.py),thunderbird xvfb imagemagick)
	@$(BIN)/python -m conformance --tools $(PROGRAMS)/bin --clients $(CLIENTS)

# The tests' lock first: what runs in production is what was tested, version by version.
soak: .venv/installed-dev ## the laws of the mirror for as long as you like: make soak EXAMPLES=20000
	MIRROR_EXAMPLES=$(or $(EXAMPLES),5000) $(BIN)/python -m pytest -q -n 2 -o timeout=0 tests/bridge/engine/test_machine.py

lock: install-dev
	echo 'setuptools>=80' | $(COMPILE) --extra dev --output-file requirements-dev.lock pyproject.toml -
	echo 'setuptools>=80' | $(COMPILE) --constraint requirements-dev.lock --output-file requirements.lock pyproject.toml -

# New sentences join gateway/web/catalogs/*.po without a translation, a test names them; what nobody says any more goes.
catalogs: install-dev
	@$(BIN)/python -m tests.web.site.sentences

fmt: install-dev
	$(BIN)/ruff check --quiet --fix .
	$(BIN)/ruff format --quiet .

hooks: install-dev
	$(BIN)/pre-commit install

clean:
	rm -rf .venv .venv-conformance .mypy_cache .ruff_cache .import_linter_cache .hypothesis .pytest_cache build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
