# One commented line per target; `make help` shows them.
.DEFAULT_GOAL := help
.PHONY: help setup demo demo-ui test test-all check bench lock format clean
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
  command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
BIN := .venv/bin
# Every core runs tests: they mostly wait for processes and loopback.
TEST_JOBS ?= 4

help: ## show the targets
	@grep -E '^[a-z-]+:.*##' Makefile | sed 's/:.*##/\t/'

setup: .venv/.ready ## make .venv with everything in it

.venv/.ready: pyproject.toml constraints.txt uv.lock
	@sh scripts/setup.sh "$(PYTHON)"

demo: setup ## the main job, offline: eight issues become pull requests
	@$(BIN)/shoal demo

demo-ui: setup ## the same, and the pages stay open until Ctrl-C
	@$(BIN)/shoal demo --serve

test: setup ## the default suite (under three minutes)
	@$(BIN)/python -m pytest -n $(TEST_JOBS)

test-all: setup ## everything, the slow stories too
	@$(BIN)/python -m pytest -n $(TEST_JOBS) -m "slow or not slow"

check: setup ## types, lint, borders, workflows, generated files
	@sh scripts/check.sh

bench: setup ## measured figures as JSON
	@$(BIN)/shoal bench

format: setup ## let ruff format the sources
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

lock: ## refresh uv.lock and constraints.txt (needs uv)
	uv lock && uv export --frozen --all-extras --no-hashes --no-emit-project --no-annotate --no-header -o constraints.txt

clean: ## remove .venv and caches
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .shoal-demo
