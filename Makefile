# What one types here: make demo, make demo FRESH=1, make test, make test-slow, make bench, make lint, make clean.
# Everything lives in .venv, one environment for all targets; the demo, the checks and the tests then run the same code.
# Files are handed out in their order: by xdist's own, those with few long tests would come last, one after the other.
# The network is used when .venv is made, and again only after pyproject.toml or constraints.txt has changed.

SHELL := bash
.DEFAULT_GOAL := help
.PHONY: help install demo lint test test-slow bench clean

VENV := .venv
BIN := $(VENV)/bin
help:
	@echo 'make demo            everything on this machine: homeserver, bot, an example pair; FRESH=1 starts over'
	@echo 'make test            style, types, import rule, schemas, prompts, and the quick tests'
	@echo 'make test-slow       the tests that take longer than a minute each'
	@echo 'make lint            what make test checks before its tests'
	@echo 'make bench           speed, as ratios to yardsticks of the same run'
	@echo 'make install         only make or update .venv; PYTHON=/path/to/python3.12 chooses the Python'
	@echo 'make clean           remove .venv and caches; data/ stays'

install:
	@PYTHON="$(PYTHON)" .ci/install

demo: install
	@$(BIN)/interlude demo $(if $(filter-out 0,$(FRESH)),--fresh)

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/interlude schemas --check
	$(BIN)/interlude prompts check prompts

test: lint
	$(BIN)/pytest -m 'not slow' --numprocesses 3 --dist loadfile --no-loadscope-reorder

test-slow: install
	$(BIN)/pytest -m slow --numprocesses 2 --dist loadfile --no-loadscope-reorder

bench: install
	$(BIN)/python -m tests.bench

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache *.egg-info
	find bot tests -name __pycache__ -type d -prune -exec rm -rf {} +
