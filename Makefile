# The only door: people and CI use the same targets. `make` alone prints this help.
.DEFAULT_GOAL := help
SHELL := /bin/bash
BIN := .venv/bin
PYTHON ?= python3
MEMBERS := shared $(wildcard services/*) deploy
UV_COMPILE := $(BIN)/uv pip compile --quiet --generate-hashes --no-emit-package shared --no-header --python-version 3.11

help: ## Print this help
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z][a-z-]*:.*## / {printf "  %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##@ Run
.PHONY: help run
run: setup ## Start everything on this machine (embedded Postgres and Kafka) and stay in the foreground
	@$(BIN)/handoff up

##@ Set up
.PHONY: setup setup-dev lock
setup: .state/run ## Make .venv with what it takes to run

setup-dev: .state/dev ## ... and what it takes to test and to change

.state/run: requirements/setup.txt requirements/run.txt $(addsuffix /pyproject.toml,$(MEMBERS))
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --require-hashes -r requirements/setup.txt
	@$(BIN)/uv pip install --quiet --compile-bytecode --require-hashes -r requirements/run.txt
	@$(BIN)/uv pip install --quiet --no-deps --no-build-isolation $(addprefix -e ./,$(MEMBERS))
	@mkdir -p .state && touch $@

.state/dev: .state/run requirements/dev.txt
	@$(BIN)/uv pip install --quiet --compile-bytecode --require-hashes -r requirements/dev.txt
	@mkdir -p .state && touch $@

lock: .state/run ## Compile requirements/*.txt from the pyproject files (hashes, no index address)
	@$(BIN)/uv pip compile --quiet --generate-hashes --no-header --python-version 3.11 requirements/setup.in -o requirements/setup.txt
	@$(UV_COMPILE) $(addsuffix /pyproject.toml,$(MEMBERS)) -o requirements/run.txt
	@$(UV_COMPILE) --group dev -c requirements/run.txt -o requirements/dev.txt
