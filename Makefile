# What a person types. Everything it installs lies in .venv, except Debian packages (as root on Debian).
.DEFAULT_GOAL := help
.PHONY: help run test check fix chaos bench migrate freeze screenshots
MAKEFLAGS += --no-print-directory
VENV := .venv/bin

help: ## show this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## start VabHub on http://127.0.0.1:8000 (HOST, PORT); Ctrl-C stops it
	@scripts/setup-venv.sh requirements.txt
	@scripts/ensure-redis.sh
	@exec $(VENV)/vabhub up

test: ## everything that CI runs, with what it needs installed
	@scripts/install-test-packages.sh
	@scripts/setup-venv.sh requirements-dev.txt
	@$(MAKE) check
	@$(VENV)/python -m pytest

check: ## style, types, import rules, architecture
	@scripts/setup-venv.sh requirements-dev.txt
	$(VENV)/ruff check
	$(VENV)/ruff format --check
	$(VENV)/mypy
	$(VENV)/lint-imports
	$(VENV)/python -m pytest -q tests/test_architecture.py

bench: ## measure, with ratios to others (NAMES=… for some of it)
	@scripts/install-test-packages.sh
	@scripts/setup-venv.sh requirements-dev.txt
	@$(VENV)/python -m tests.bench $(NAMES)

chaos: ## break it on purpose and count what is lost (ONLY=1,12 for some)
	@scripts/install-test-packages.sh
	@scripts/setup-venv.sh requirements-dev.txt
	$(VENV)/python -m tests.chaos $(if $(ONLY),--only $(ONLY))

fix: ## mend what ruff can mend
	@scripts/setup-venv.sh requirements-dev.txt
	$(VENV)/ruff check --fix
	$(VENV)/ruff format

migrate: ## bring the database to the newest revision
	@scripts/setup-venv.sh requirements.txt
	@$(VENV)/vabhub migrate

freeze: ## pin the requirements anew from pyproject.toml
	@scripts/setup-venv.sh requirements-dev.txt
	$(VENV)/uv pip compile --universal --quiet --no-header --upgrade -o requirements.txt pyproject.toml
	$(VENV)/uv pip compile --universal --quiet --no-header --upgrade --extra dev -c requirements.txt \
		-o requirements-dev.txt pyproject.toml

screenshots: ## take the pictures in docs/ from a running VabHub
	@scripts/install-test-packages.sh
	@scripts/setup-venv.sh requirements-dev.txt
	$(VENV)/python scripts/screenshots.py
