# Everything a newcomer needs: `make demo` and `make test`. Each target says in its comment what it does (make help).
.DEFAULT_GOAL := help
PYTHON ?= python3
export PYTHONPATH := src:.

VENV := .venv/ready
SAM := .venv-sam/ready
RUN := .venv/bin

$(VENV): requirements/dev.txt
	@echo "Setting up .venv (once) ..."
	@$(PYTHON) -m venv --clear .venv
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check uv
	@.venv/bin/uv pip sync --quiet --python .venv/bin/python requirements/dev.txt
	@touch $@

# aws-sam-cli and the local cloud pin different botocores: two environments.
$(SAM): requirements/sam.txt $(VENV)
	@echo "Setting up .venv-sam (once) ..."
	@$(PYTHON) -m venv --clear .venv-sam
	@.venv/bin/uv pip sync --quiet --python .venv-sam/bin/python requirements/sam.txt
	@touch $@

.PHONY: help
help: ## list every target in one line each
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

.PHONY: lock
lock: $(VENV) ## resolve pyproject.toml into requirements/ and src/requirements.txt again
	@requirements/lock

.PHONY: test
test: $(VENV) ## set up from nothing, then run all tests
	@$(RUN)/pytest

.PHONY: lint
lint: $(VENV) ## ruff, mypy strict, import-linter
	@$(RUN)/ruff check .
	@$(RUN)/ruff format --check .
	@$(RUN)/mypy
	@$(RUN)/lint-imports

.PHONY: format
format: $(VENV) ## format and fix what ruff can fix
	@$(RUN)/ruff format .
	@$(RUN)/ruff check --fix .
