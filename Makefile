# GNU Make 3.81 (macOS) is enough.  make answers 2 for any failure: call `lab` itself where 1 and 2 must differ.
.DEFAULT_GOAL := help

python := .venv/bin/python
ready  := .venv/ready

# Options for the command behind a target: make scenario-kill ARGS="--backend embedded"
ARGS   ?=
# What make check grades: module:attribute or path/to/file.py[:attribute].
SERVER ?=
# The Python that makes .venv; without it, the newest on PATH.
PYTHON ?=
export PYTHON
# Where bytecode may not be written, every command compiles every module again: four seconds instead of one.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup packages lab-up lab-down lab-status scenarios check exercise test lint soak chaos bench clean

help: ## Show this table
	@awk -F ':.*## ' '/^[a-z%-]+:.*## / { sub(/%/, "<name>", $$1); printf "  make %-16s %s\n", $$1, $$2 }' Makefile

setup: $(ready) ## Make .venv with everything pinned (again only when a lock changed)
	@echo "setup: .venv is ready"

$(ready): pyproject.toml requirements/dev.lock requirements/setup.sh
	@requirements/setup.sh
	@touch $@

packages: .venv/packages ## Install well-known packages, to grade their servers too

.venv/packages: $(ready) requirements/packages.lock
	@requirements/setup.sh packages
	@touch $@

lab-up: $(ready) ## Build the image and start the containers
	@$(python) -m lab up $(ARGS)

lab-down: $(ready) ## Stop the containers and remove what they left
	@$(python) -m lab down $(ARGS)

lab-status: $(ready) ## Say what runs
	@$(python) -m lab status $(ARGS)

scenario-%: $(ready) ## Play one scenario, for example make scenario-kill
	@$(python) -m lab run $* $(ARGS)

scenarios: $(ready) ## Play every scenario
	@$(python) -m lab run --all $(ARGS)

check: $(ready) ## Grade a server of yours: make check SERVER=myserver:app
	@$(python) -m lab check $(SERVER) $(ARGS)

exercise: $(ready) ## Mend small servers, step by step
	@$(python) -m lab exercise $(ARGS)

test: $(ready) ## Run the tests
	@$(python) -m pytest $(ARGS)

lint: $(ready) ## Check style and types
	@$(python) -m ruff check
	@$(python) -m ruff format --check
	@$(python) -m mypy

soak: $(ready) ## Play every scenario many times: the same verdict each time
	@$(python) -m tests.soak $(ARGS)

chaos: $(ready) ## End runs at random, grade hostile servers, damage timelines: nothing may be left, or wrong
	@$(python) -m tests.chaos $(ARGS)

bench: $(ready) ## Measure, beside what one would do by hand
	@$(python) -m benchmarks $(ARGS)

clean: ## Remove .venv, .lab and every cache
	@rm -rf .venv .lab build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
