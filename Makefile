# Short names.  Nothing here needs more than Python: dev.py makes .venv where it is missing.
.DEFAULT_GOAL := help
.PHONY: help run test unit check lint fmt lock openapi audit migration settings schema chaos overload bench scaling generated fuzz reset setup screenshots

PYTHON ?= python3
BIN := .venv/bin

help: ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /|/' | awk -F'|' '{printf "  make %-12s %s\n", $$1, $$2}'

run: ## serve everything on http://localhost:9300
	@$(PYTHON) dev.py run $(args)

test: ## the whole suite (args="-k name")
	@$(PYTHON) dev.py test $(args)

unit: setup ## the tests that need no server
	@$(BIN)/pytest -q -m unit

check: lint unit ## what a commit must pass

lint: ## ruff, mypy, tsc, biome, import contracts, spelling, file sizes
	@$(PYTHON) dev.py lint

fmt: setup ## put the code into shape
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .
	@$(BIN)/python -m dev.node format

lock: ## resolve the dependencies anew (args=--upgrade for newer ones)
	@$(PYTHON) -m dev.lock $(args)

openapi: setup ## write docs/openapi.json from the code, and the TypeScript client's models from it
	@$(BIN)/python -m api.print_openapi > docs/openapi.json.new
	@mv docs/openapi.json.new docs/openapi.json
	@$(BIN)/python -m dev.node generate

audit: ## hold the runtime dependencies against the advisories of OSV (2: nobody could be asked)
	@$(PYTHON) -m dev.audit

migration: setup ## a new migration from the tables' difference (m="what it does")
	@$(BIN)/python -m dev.migration "$(m)"

settings: setup ## write docs/settings.md from the code
	@$(BIN)/python -m dev.settings_page

schema: setup ## keep the newest revision's schema for the tests of upgrades
	@$(BIN)/python -m dev.schema_dump

seed ?= 1
minutes ?= 30
overload: minutes = 5
chaos: setup ## faults of all kinds under load, reported in docs/reliability.md (seed=7 minutes=30)
	@$(BIN)/python -m tests.chaos.storm --seed $(seed) --minutes $(minutes) $(args)

generated: setup ## ten thousand requests made from the OpenAPI document, answers held against it
	@HYPOTHESIS_PROFILE=long $(BIN)/pytest -q tests/contract/api/test_generated.py --timeout=0

fuzz: setup ## new examples by the thousand for every parser of outside input (args="-x")
	@HYPOTHESIS_PROFILE=long $(BIN)/pytest -q -k fuzz --timeout=0 $(args)

overload: setup ## five times what can be done, for a while; reported in docs/limits.md (minutes=5)
	@$(BIN)/python -m tests.chaos.overload --minutes $(minutes) $(args)

bench: setup ## our figures against the machine's limits, into docs/performance.md (args="--quick turn rate")
	@$(BIN)/python -m tests.bench $(args)

scaling: setup ## what one box, ten and a hundred carry, into docs/scaling.md
	@$(BIN)/python -m tests.bench.scaling $(args)

screenshots: setup ## the pictures of docs/images, from a real run (needs Chromium and Prometheus)
	@$(BIN)/python -m tests.screenshots $(args)

reset: ## remove the data of the local run
	@$(PYTHON) dev.py reset

setup: ## make or update .venv
	@$(PYTHON) dev.py setup
