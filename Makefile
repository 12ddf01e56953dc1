# The only door: people and CI use the same targets. `make` alone prints this help.
.DEFAULT_GOAL := help
SHELL := /bin/bash
BIN := .venv/bin
PYTHON ?= python3
SUITES := check integration hostile e2e faults load
BY_THE_CLOCK := tests/load/test_speed.py tests/load/test_poison.py
ORACLE := tests/integration/marketing_intake/test_identity_by_oracle.py
IN_CONTAINERS := $(addprefix tests/deploy/test_,images.py hardened.py sbom.py compose.py integration.py)
ON_KUBERNETES := tests/deploy/apiserver
ON_A_NODE := tests/deploy/node
MEMBERS := shared $(wildcard services/*) deploy
VERSION := $(shell sed -n 's/^handoff: //p' deploy/versions.yaml)
IMAGES := $(shell sed -n 's/^FROM runtime AS //p' deploy/images/Dockerfile)
COMPOSE := docker compose --file deploy/compose/compose.yaml
UV_COMPILE := $(BIN)/uv pip compile --quiet --generate-hashes --no-emit-package shared --no-header --python-version 3.11

help: ## Print this help
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z][a-z0-9-]*:.*## / {printf "  %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##@ Run
.PHONY: help run images compose-up compose-down
run: setup ## Start everything on this machine (embedded Postgres and Kafka) and stay in the foreground
	@$(BIN)/handoff up

images: ## Build the container images: four services and operations
	@for image in $(IMAGES); do \
		docker build --quiet --file deploy/images/Dockerfile --target $$image --build-arg VERSION=$(VERSION) \
			--tag handoff/$$image:$(VERSION) . || exit 1; \
	done

compose-up: ## Start everything in containers and wait until it is ready (deploy/compose)
	@deploy/compose/secrets.sh
	@$(COMPOSE) up --build --detach --wait

compose-down: ## Stop the containers; the data stays in their volumes
	@$(COMPOSE) down

##@ Change
.PHONY: fmt check unit contracts
fmt: setup-dev ## Format, and mend what can be mended by itself
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

check: setup-dev ## All that can be said without Postgres and Kafka: form, types, layers, all tests load, budgets, unit tests
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/codespell
	@$(BIN)/zizmor --offline --quiet --no-progress .github
	@$(BIN)/basedpyright
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/pytest -qq --collect-only tests > .state/collected || { tail -20 .state/collected; exit 1; }
	@set -e; for member in $(MEMBERS); do (cd $$member && $(CURDIR)/$(BIN)/deptry src); done
	@$(MAKE) --no-print-directory unit

unit: setup-dev ## Domain, use cases and pure code, and the budgets of the house
	@$(BIN)/pytest -q -n 2 tests/unit tests/house

contracts: setup-dev ## Write docs/contracts and docs/openapi anew from the code
	@$(BIN)/python -m tests.contract.artefacts

##@ Test
.PHONY: test test-deploy kubernetes-check kubernetes-run test-images integration-in-containers integration hostile e2e faults load bench
test: setup-dev ## Everything that must hold; prints what each suite took (half an hour)
	@for suite in $(SUITES); do \
		began=$$SECONDS; echo "== $$suite"; failed=; \
		$(MAKE) --no-print-directory $$suite BRIEF=1 || failed=yes; \
		took="$$took\n$$suite: $$((SECONDS - began)) s"; \
		[ -z "$$failed" ] || { printf "== $$suite does not hold$$took\n"; exit 1; }; \
	done; printf "== all of it holds$$took\n"

test-deploy: setup-dev ## What is deployed: manifests against the code, faults planted in them, rights on a real broker; and the next two
	@$(BIN)/pytest -q -n 2 --dist loadfile $(addprefix --ignore ,$(IN_CONTAINERS) $(ON_KUBERNETES) $(ON_A_NODE)) tests/deploy
	@$(MAKE) --no-print-directory kubernetes-check
	@$(MAKE) --no-print-directory test-images

kubernetes-check: setup-dev ## A real API server takes every overlay, and all of it rolls out (wants Go: first builds it, for minutes)
	@$(BIN)/python -m tests.deploy.apiserver.building
	@$(BIN)/pytest -q $(ON_KUBERNETES)

kubernetes-run: setup-dev ## The overlay `local` on a real node: walk, rollout, drain, a fix (wants root, Docker, containerd, Go)
	@$(BIN)/python -m tests.deploy.node

test-images: setup-dev ## Images, compose, and a part of `integration`, in a Docker engine that is there or can be started (root, Debian)
	@$(BIN)/pytest -q $(IN_CONTAINERS)

integration-in-containers: setup-dev ## All of `integration` on Postgres and Kafka as testcontainers starts them, in such an engine
	@HANDOFF_FULL=1 $(BIN)/pytest -q tests/deploy/test_integration.py

integration: setup-dev ## Contracts, and each part on real Postgres and Kafka
	@$(BIN)/pytest -q -n 3 --dist loadfile tests/contract tests/integration

hostile: setup-dev ## Input that means harm at every route, every kind of key, and crowds that do, in full size
	@$(if $(BRIEF),,HANDOFF_FULL=1) $(BIN)/pytest -q -n 2 --ignore tests/hostile/crowds tests/hostile
	@$(if $(BRIEF),,HANDOFF_FULL=1) $(BIN)/pytest -q tests/hostile/crowds

e2e: setup-dev ## The whole system through its doors, and the commands that the docs show
	@$(BIN)/pytest -q tests/e2e

faults: setup-dev ## Kill what runs while leads come in, and identity by an oracle over 20 seeds, all in full size
	@$(if $(BRIEF),,HANDOFF_SEEDS=20 $(BIN)/pytest -q $(ORACLE))
	@$(if $(BRIEF),,HANDOFF_FULL=1) $(BIN)/pytest -q -n $(if $(BRIEF),2,1) --dist worksteal tests/faults

load: setup-dev ## How fast it is, as ratios to what this machine can do (HANDOFF_FULL=1: more rounds)
	@$(BIN)/pytest -q $(BY_THE_CLOCK)
	@$(BIN)/pytest -q -n $(if $(HANDOFF_FULL),0,2) --dist loadfile $(addprefix --ignore ,$(BY_THE_CLOCK)) tests/load

bench: setup ## The same figures alone, for sizing a machine: about a quarter of an hour
	@$(BIN)/handoff bench

##@ Set up
.PHONY: setup setup-dev lock clean
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

clean: ## Remove what was made here: environment, caches, the data of the system (stop it before)
	@rm -rf .venv .state .build .run .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
