# Needs nothing but python3 (3.11 or newer) and the package index. `make help` lists the targets.

PYTHON ?= python3
WORKERS ?= 2
BIN := .venv/bin
PACKAGES := crdt replication geo crdb sim
SOURCES := $(shell find $(PACKAGES) -type f -not -name '*.pyc')
PIP := $(BIN)/python -m pip --disable-pip-version-check
LOCKED := $(PIP) install --quiet --quiet --require-hashes --only-binary :all: --requirement
UV := $(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 \
	--generate-hashes --no-annotate --custom-compile-command "make lock"

# A worker takes a stretch of neighbouring tests, and then half of what the other has left.
SHARED_OUT := --numprocesses $(WORKERS) --dist worksteal

# Where nothing compiled may be kept, every process of ours would compile everything again.
export PYTHONDONTWRITEBYTECODE :=

.DELETE_ON_ERROR:
.PHONY: help install demo test test-compiled check lint docs format bench lock clean

help:
	@echo "make install        .venv with the commands 'crdb' and 'python -m sim'"
	@echo "make demo           three regions, a cut and what becomes of it, in 20 seconds"
	@echo "make test           the whole test suite"
	@echo "make test-compiled  the packages' tests against the compiled modules"
	@echo "make check          format, lint, types, layers, docs, tests, coverage"
	@echo "make docs           the documentation as HTML, into build/docs"
	@echo "make bench          ours beside a redis-server (needs redis-server and redis-benchmark)"
	@echo "make lock           newest versions of all dependencies into requirements/"
	@echo "make format         put all sources into the house's format"
	@echo "make clean          remove the environment and everything built"

install: .venv/installed

demo: .venv/installed
	@$(BIN)/python -P -m crdb demo

# The tests import the source tree, pure, and so do the commands that they start. `make test COVER=1`
# measures coverage and holds it to its limits; Hypothesis draws the same examples every time then,
# so that no line is missed by chance.
test: .venv/installed .venv/locked-dev
	$(BIN)/python -m pytest $(SHARED_OUT) \
		$(if $(COVER),--cov --cov-report= --hypothesis-seed 0) $(ARGS)
	$(if $(COVER),$(BIN)/python tools/coverage_gate.py)

# The tests of the packages once more, against the compiled ones: in build/compiled there is nothing
# else to import.
test-compiled: .venv/installed .venv/locked-dev
	@$(BIN)/python -P -c 'import crdt.wire.codec as built; \
		raise SystemExit(built.__file__.endswith(".py") and "crdb: the build is pure")'
	@mkdir -p build/compiled && ln -sfn ../../tests ../../examples build/compiled/
	cd build/compiled && PYTHONPATH=. ../../$(BIN)/python -P -m pytest $(SHARED_OUT) \
		--rootdir . --config-file ../../pyproject.toml --override-ini pythonpath= \
		-m "not interpreted" $(ARGS) $(PACKAGES:%=tests/%) tests/conformance

check: lint
	$(MAKE) test COVER=1

lint: docs
	$(BIN)/ruff format --check --quiet
	$(BIN)/ruff check --quiet
	$(BIN)/pyright
	$(BIN)/lint-imports --no-logo
	$(BIN)/python tools/fragments.py

docs: .venv/installed .venv/locked-dev
	$(BIN)/sphinx-build -W --quiet docs build/docs

format: .venv/locked-dev
	$(BIN)/ruff check --quiet --fix
	$(BIN)/ruff format --quiet

bench: .venv/installed .venv/locked-dev
	$(BIN)/python bench/server.py
	$(BIN)/python bench/memory.py
	$(BIN)/python bench/embedded.py
	$(BIN)/python bench/visibility.py

lock: .venv/locked-dev
	$(PIP) install --quiet uv
	$(UV) --upgrade --group dev --extra server --output-file requirements/dev.txt
	$(UV) --group build --group demo --extra server --constraint requirements/dev.txt \
		--output-file requirements/run.txt

clean:
	rm -rf .venv build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -exec rm -rf {} +

.venv/locked: requirements/run.txt tools/bootstrap.py
	@echo "Making .venv (some minutes)"
	@$(PYTHON) tools/bootstrap.py .venv requirements/run.txt
	@$(LOCKED) requirements/run.txt
	@touch $@

.venv/locked-dev: requirements/dev.txt .venv/locked
	@echo "Installing the development tools into .venv"
	@$(LOCKED) requirements/dev.txt
	@touch $@

.venv/installed: .venv/locked pyproject.toml hatch_build.py LICENSE README.md $(SOURCES)
	@rm -rf build/wheel
	@$(BIN)/hatchling build --target wheel --directory build/wheel
	@$(PIP) install --quiet --no-index --no-deps --force-reinstall build/wheel/*.whl
	@touch $@
