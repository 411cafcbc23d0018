# Every target sets itself up: a virtual environment of its own with the pinned, hash-checked packages.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PACKAGES := assets cli experiences migrations payments pipelines qbo_sandbox resources runway_calcs
CLIENTS := .venv-clients
CLIENTS_READY := $(CLIENTS)/.ready
NODE_CLIENT := tests/clients/node
NODE_READY := $(NODE_CLIENT)/node_modules/.ready
# CI has two cores; two more workers fill the time in which tests wait for processes, daemons and disks.
PYTEST := $(BIN)/python -m pytest -n 4 --dist loadgroup

.PHONY: setup demo dagster test test-long axe test-clients check format lock clean bench-friday bench-sync bench-plan bench-calcs bench-timing bench-payments faults faults-mail

setup: $(READY)

$(READY): requirements.lock pyproject.toml
	@echo "Setting up $(VENV) (pinned packages from requirements.lock) ..."
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Runway needs Python 3.11 or newer; found " + sys.version.split()[0])'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@# Where Python is told to write no bytecode, each run of Dagster would compile the project again: half a second of a core.
	@$(BIN)/python -m compileall -q $(PACKAGES)
	@touch $(READY)

demo: $(READY) ## three generated companies: connect, ingest, calculate, Friday digests
	@$(BIN)/runway demo

dagster: $(READY) ## the Dagster UI on the demo's data
	@$(BIN)/runway dagster

test: check axe ## the suite with a seeded sample of the long checks
	$(PYTEST) -m "not long" tests

test-long: $(READY) axe ## the full counts; prints its seeds
	$(PYTEST) -m long tests

axe: # axe-core, for the pages in a browser
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory $(NODE_READY); fi

test-clients: $(READY) $(CLIENTS_READY) $(NODE_READY) ## clients that nobody here wrote, against the local QuickBooks (needs Node 20)
	$(CLIENTS)/bin/python -m pytest tests/clients

$(CLIENTS_READY): tests/clients/requirements.lock
	@echo "Setting up $(CLIENTS) (pinned packages from tests/clients/requirements.lock) ..."
	@$(PYTHON) -m venv $(CLIENTS)
	@$(CLIENTS)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r tests/clients/requirements.lock
	@touch $(CLIENTS_READY)

$(NODE_READY): $(NODE_CLIENT)/package-lock.json
	@npm --prefix $(NODE_CLIENT) ci --no-audit --no-fund --silent
	@touch $(NODE_READY)

check: $(READY) ## lint, format, types, architecture contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench-friday: $(READY) ## the Friday run of 100 tenants with increments: HTTP, sync, calculators, rendering, Dagster, memory
	$(BIN)/python -W ignore -m benchmarks.bench_friday

bench-sync: $(READY) ## SmartSync alone: a medium company, 100 small ones, 150 ms a request
	$(BIN)/python -W ignore -m benchmarks.bench_sync

bench-plan: $(READY) ## pay plans: time, proven gap, floor
	$(BIN)/python -W ignore -m benchmarks.bench_plan

bench-calcs: $(READY) ## the calculators of one tenant and of a hundred
	$(BIN)/python -W ignore -m benchmarks.bench_calcs

bench-timing: $(READY) ## payment timing on a receivables ledger: make bench-timing LEDGER=path.csv
	$(BIN)/python -W ignore -m benchmarks.bench_timing $(LEDGER)

bench-payments: $(READY) ## decisions, batches, four clients, a sensor's tick, a fleet of batches
	$(BIN)/python -W ignore -m benchmarks.bench_payments

faults: $(READY) ## payments killed, stopped and confused at every point; FAULT_SECONDS and FAULT_SEED bound a slice, the same seed goes on
	$(BIN)/python -W ignore -m tests.payments.campaign --seconds $(or $(FAULT_SECONDS),4500) --seed $(or $(FAULT_SEED),20261120)

faults-mail: $(READY) ## 2,000 forked mail senders killed at every point
	$(BIN)/python -W ignore -m tests.resources.mail_faults --kills 2000

lock: $(READY) ## re-pin requirements.lock from pyproject.toml (needs uv on the PATH)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --no-strip-extras --all-extras pyproject.toml -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate tests/clients/requirements.in -o tests/clients/requirements.lock

clean:
	rm -rf $(VENV) $(CLIENTS) $(NODE_CLIENT)/node_modules .runway .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis *.egg-info
