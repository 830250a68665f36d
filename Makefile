# Needs python3 (3.11 or newer) with its module venv, and the package index. `make help` lists the targets.

PYTHON ?= python3
WORKERS ?= 2
# The branch that a change goes to. Where git knows it, a change must bring a news fragment.
BASE ?= origin/main
BIN := .venv/bin
PACKAGES := crdt replication geo crdb sim
SOURCES := $(shell find $(PACKAGES) -type f -not -name '*.pyc')
PIP := $(BIN)/python -m pip --disable-pip-version-check
LOCK := requirements/lock.txt
# Not compiled to bytecode now: most modules of the tools are never imported, and Python compiles and
# keeps the others when they are.
LOCKED := $(PIP) install --quiet --quiet --no-compile --require-hashes --only-binary :all:

# A worker takes a stretch of neighbouring tests, and then half of what the other has left.
SHARED_OUT := --numprocesses $(WORKERS) --dist worksteal

# Where nothing compiled may be kept, every process of ours would compile everything again.
export PYTHONDONTWRITEBYTECODE :=

.DELETE_ON_ERROR:
.PHONY: help install demo test test-unit test-contract test-long test-e2e test-compiled coverage soak check \
	redis-suite lint style types docs format bench lock clean

help:
	@echo "make install        .venv with the commands 'crdb' and 'python -m sim'"
	@echo "make demo           three regions, a cut and what becomes of it, in 20 seconds"
	@echo "make test           all tests except the soak: unit, contract, e2e"
	@echo "make test-unit      tests of single modules, and of the repository's files"
	@echo "make test-contract  types, a real redis-server, scenarios, random runs"
	@echo "make test-long      the contract tests that 'make check' leaves out"
	@echo "make test-e2e       tests that start processes"
	@echo "make test-compiled  unit, contract and e2e tests against the compiled modules"
	@echo "make check          before each commit: lint, unit and contract tests except the long ones"
	@echo "make lint           format, style, types, layers, news fragments, documentation"
	@echo "make coverage       runs the tests of 'make check' and names lines that none of them runs"
	@echo "make soak           for the night: coverage, simulated runs of many seeds (SEEDS=1-400)"
	@echo "make redis-suite    Redis' own tests against a region and a redis-server (needs tclsh, apt-get)"
	@echo "make docs           the documentation as HTML, into build/docs"
	@echo "make bench          ours beside a redis-server (needs redis-server and redis-benchmark)"
	@echo "make lock           newest versions of all dependencies into $(LOCK)"
	@echo "make format         put all sources into the house's format"
	@echo "make clean          remove the environment and everything built"

install: .venv/installed

demo: .venv/installed
	@$(BIN)/python -P -m crdb demo

# The tests import the source tree, pure, and so do the commands that they start. Only the tests in
# e2e need the package installed, so 'make check' does not compile what has changed.
PYTEST := $(BIN)/python -m pytest $(SHARED_OUT)
UNIT := --ignore tests/contract --ignore tests/e2e tests
CONTRACT := tests/contract
E2E := tests/e2e
SHORT := -m "not long" --ignore $(E2E) tests
SEEDS ?= 1-400

test: .venv/installed .venv/locked-dev
	$(PYTEST) $(ARGS)

test-unit: .venv/locked-dev
	$(PYTEST) $(ARGS) $(UNIT)

test-contract: .venv/locked-dev
	$(PYTEST) $(ARGS) $(CONTRACT)

test-long: .venv/locked-dev
	$(PYTEST) $(ARGS) -m long $(CONTRACT)

test-e2e: .venv/installed .venv/locked-dev
	$(PYTEST) $(ARGS) $(E2E)

# The tests of the packages once more, against the compiled ones: in build/compiled there is nothing
# else to import.
test-compiled: .venv/installed .venv/locked-dev
	@$(BIN)/python -P -c 'import crdt.wire.codec as built; \
		raise SystemExit(built.__file__.endswith(".py") and "crdb: the build is pure")'
	@mkdir -p build/compiled && ln -sfn ../../tests ../../examples build/compiled/
	cd build/compiled && PYTHONPATH=. ../../$(BIN)/python -P -m pytest $(SHARED_OUT) \
		--rootdir . --config-file ../../pyproject.toml --override-ini pythonpath= \
		-m "not interpreted" $(ARGS) $(PACKAGES:%=tests/%) $(CONTRACT) \
		$(E2E) --ignore $(E2E)/checkout

check: lint
	$(PYTEST) $(ARGS) $(SHORT)

# Coverage takes three times as long as the tests without it. It needs the tests of all lines, not
# those of processes: what runs there is not measured. Hypothesis draws the same examples every time
# here, so that no line is missed by chance. Long tests are not measured.
coverage: .venv/locked-dev
	$(PYTEST) --cov --cov-report= --hypothesis-seed 0 $(ARGS) $(SHORT)
	$(BIN)/python tools/coverage_gate.py

# For the night: no run of CI waits for it.
soak: coverage .venv/installed
	HYPOTHESIS_PROFILE=nightly $(PYTEST) $(CONTRACT)/types $(CONTRACT)/convergence \
		$(CONTRACT)/differential/test_random_sequences.py
	$(BIN)/python -P -m sim --seeds $(SEEDS) --jobs $(WORKERS)

# `make --jobs 2 install lint` installs the tools and checks the types while the modules are compiled.
# Fetches Debian's source package of Redis. UNITS="unit/sort unit/scan" chooses units.
redis-suite: .venv/installed .venv/locked-dev
	$(BIN)/python -m tools.redis_suite $(UNITS)

lint: style types docs

style: .venv/locked-dev
	$(BIN)/ruff format --check --quiet
	$(BIN)/ruff check --quiet
	$(BIN)/lint-imports --no-logo
	$(BIN)/towncrier build --draft --version next >/dev/null
	@if git rev-parse --verify --quiet $(BASE) >/dev/null; then \
		$(BIN)/towncrier check --compare-with $(BASE); fi

types: .venv/locked-dev
	$(BIN)/pyright

docs: .venv/locked-dev
	$(BIN)/sphinx-build -W --quiet docs build/docs

format: .venv/locked-dev
	$(BIN)/ruff check --quiet --fix
	$(BIN)/ruff format --quiet

bench: .venv/installed .venv/locked-dev
	$(BIN)/python bench/server.py
	$(BIN)/python bench/memory.py
	$(BIN)/python bench/embedded.py
	$(BIN)/python bench/visibility.py
	$(BIN)/python bench/stalls.py
	$(BIN)/python bench/growth.py
	$(BIN)/python bench/peers.py
	$(BIN)/python bench/simulator.py
	$(BIN)/python bench/table.py

lock: .venv/locked-dev
	$(PIP) install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 \
		--generate-hashes --no-annotate --custom-compile-command "make lock" \
		--upgrade --group dev --output-file $(LOCK)

clean:
	rm -rf .venv build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -exec rm -rf {} +

# `venv` brings some pip along. It installs the one of the lock file, which can read the hashes of
# the others from there. An environment that is a link belongs to another checkout.
.venv/locked: $(LOCK)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "The module venv of Python is missing: install it (Debian: python3-venv), then try again" \
			>&2; exit 1; }
	@if [ -L .venv ]; then \
		echo ".venv is a link, so it is not replaced: remove it, then try again" >&2; exit 1; fi
	@echo "Making .venv (some minutes)"
	@$(PYTHON) -m venv --clear .venv
	@sed -n '/^pip==/,/[^\]$$/p' $(LOCK) >.venv/pip.txt
	@$(LOCKED) --requirement .venv/pip.txt
	@$(LOCKED) --constraint $(LOCK) --group build --group run --group demo
	@touch $@

.venv/locked-dev: .venv/locked
	@echo "Installing the development tools into .venv"
	@$(LOCKED) --constraint $(LOCK) --group dev
	@touch $@

.venv/installed: .venv/locked pyproject.toml hatch_build.py LICENSE README.md $(SOURCES)
	@rm -rf build/wheel
	@$(BIN)/hatchling build --target wheel --directory build/wheel
	@$(PIP) install --quiet --no-index --no-deps --force-reinstall build/wheel/*.whl
	@touch $@
