# Two commands matter: `make demo` and `make test`. Both build .venv themselves when it is missing.
#
# PYTHON=python3.13 make setup   chooses the interpreter (3.11 or newer).
# make demo ARGS="--duration 60 --seed 7 --json"

PYTHON ?= python3
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
# uv is used when it is installed, because it is faster; pip does the same from the same lock.
UV := $(shell command -v uv 2>/dev/null || { test -x $(BIN)/uv && echo $(BIN)/uv; })
STAMP_RUN := $(VENV)/.stamp-run
STAMP_DEV := $(VENV)/.stamp-dev
STAMP_BENCH := $(VENV)/.stamp-bench
STAMP_PEERS := $(VENV)/.stamp-peers
PEERS_NODE := $(VENV)/peers
STAMP_PEERS_NODE := $(PEERS_NODE)/.stamp
LINT_PATHS := mmbot strategies tests

ifeq ($(UV),)
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
else
INSTALL := $(UV) pip install --quiet --python $(BIN)/python
endif

.PHONY: setup setup-dev demo test check format bench peers crash stream-check mutation lock clean help

help:
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1	\2/p' Makefile

setup: $(STAMP_RUN) ## build .venv from the hashed lock (instant when it is up to date)

setup-dev: $(STAMP_DEV) ## the same, with the tools of `make test` and `make check`

demo: $(STAMP_RUN) ## the exchange in the box and the daemon, on your screen
	@$(BIN)/mmbot demo $(ARGS)

# Some machines set the first: each of 200 processes would compile mmbot anew. No test trusts an
# authority of this machine, and each process would read 140 of them.
test: export PYTHONDONTWRITEBYTECODE :=
test: export SSL_CERT_FILE := /dev/null
# Four, because the long walks wait more than they compute; one test at a time, in the order of the
# folders, so that those walks begin first and none of them is left for the end.
test: $(STAMP_DEV) ## all tests
	@$(BIN)/python -m pytest -n 4 --dist load --maxschedchunk 1 -q $(ARGS)

check: $(STAMP_DEV) ## format, lint, types, import contracts, house rules
	$(BIN)/ruff format --check $(LINT_PATHS)
	$(BIN)/ruff check $(LINT_PATHS)
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m pytest -q -p no:cacheprovider tests/test_house_rules.py

format: $(STAMP_DEV) ## rewrite the files as `make check` wants them
	$(BIN)/ruff format $(LINT_PATHS)
	$(BIN)/ruff check --fix $(LINT_PATHS)

bench: $(STAMP_BENCH) ## tick-to-trade of the daemon beside a vendor-style stack
	@$(BIN)/mmbot bench $(ARGS)

crash: $(STAMP_DEV) ## kill -9 at random moments, then the ledger against the exchange; FULL=1: 100
	@$(BIN)/python -m tests.crash $(ARGS)

stream-check: $(STAMP_DEV) ## the daemon behind a bad network; was a quote ever stale?
	@$(BIN)/python -m tests.stream $(ARGS)

mutation: $(STAMP_DEV) ## break the program on purpose; the seeds of mmbot simulate must notice
	@$(BIN)/python -m tests.mutation $(ARGS)

# Packages of Node stay inside .venv; without npm, or without its registry, what needs them is
# skipped loudly (-ra says what and how to get it).
peers: $(STAMP_PEERS) ## clients and servers that nobody here wrote, against the box and the feed
	@$(MAKE) --no-print-directory $(STAMP_PEERS_NODE) || \
	  echo "mmbot: no packages of Node: pusher-js and soketi will be skipped" >&2
	@PEERS=1 PEERS_NODE=$(PEERS_NODE) $(BIN)/python -m pytest tests/peers -n 2 --dist worksteal -q $(ARGS)

$(VENV)/.stamp-venv:
	@command -v "$(PYTHON)" >/dev/null || \
	  { echo "mmbot needs Python 3.11 or newer: $(PYTHON) was not found" \
	         "(choose one: make PYTHON=/path/to/python3.13)" >&2; exit 2; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "mmbot needs Python 3.11 or newer: $(PYTHON) is" \
	         "$$("$(PYTHON)" -c 'import platform; print(platform.python_version())')" \
	         "(choose another: make PYTHON=python3.13)" >&2; exit 2; }
ifeq ($(UV),)
	@"$(PYTHON)" -m venv $(VENV) || \
	  { echo "$(PYTHON) has no venv module (Debian: apt install python3-venv)" >&2; exit 2; }
else
	@test -x $(BIN)/python || \
	  $(UV) venv --quiet --no-python-downloads --python "$$(command -v "$(PYTHON)")" $(VENV)
endif
	@touch $@

$(STAMP_RUN): requirements.lock pyproject.toml $(VENV)/.stamp-venv
	@echo "mmbot: installing the locked packages into $(VENV) ..." >&2
	@$(INSTALL) --require-hashes -r requirements.lock
	@$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(STAMP_DEV): tests/requirements.lock $(STAMP_RUN)
	@echo "mmbot: installing the test tools into $(VENV) ..." >&2
	@$(INSTALL) --require-hashes -r tests/requirements.lock
	@touch $@

$(STAMP_BENCH): tests/bench.lock $(STAMP_DEV)
	@$(INSTALL) --require-hashes -r tests/bench.lock
	@touch $@

$(STAMP_PEERS): tests/peers.lock $(STAMP_DEV)
	@echo "mmbot: installing the Python peers into $(VENV) ..." >&2
	@$(INSTALL) --require-hashes -r tests/peers.lock
	@touch $@

$(STAMP_PEERS_NODE): tests/peers/package.json
	@command -v npm >/dev/null || \
	  { echo "mmbot: npm is missing (Debian: apt install nodejs npm)" >&2; exit 1; }
	@echo "mmbot: installing the Node peers into $(PEERS_NODE) ..." >&2
	@mkdir -p $(PEERS_NODE) && cp tests/peers/package.json $(PEERS_NODE)/
	@cd $(PEERS_NODE) && npm install --no-audit --no-fund --ignore-scripts --no-package-lock \
	  --loglevel=error >npm.log 2>&1 || { tail -5 npm.log >&2; exit 1; }
	@touch $@

# --no-header keeps the address of any package index out of the locks.
LOCK = $(UV) pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest \
       --generate-hashes --no-header $(if $(UPGRADE),--upgrade)

lock: ## resolve the four locks again; UPGRADE=1 also takes newer versions
	@test -n "$(UV)" || { echo "make lock needs uv" >&2; exit 2; }
	$(LOCK) pyproject.toml --group build -o requirements.lock
	$(LOCK) --group dev -c requirements.lock -o tests/requirements.lock
	$(LOCK) --group bench -c requirements.lock -c tests/requirements.lock -o tests/bench.lock
	$(LOCK) --group peers -c requirements.lock -c tests/requirements.lock -c tests/bench.lock \
	  -o tests/peers.lock

clean: ## remove .venv and every cache
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
