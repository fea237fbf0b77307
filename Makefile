# Newcomers need `make demo` and `make test`. `make help` lists every target.
.DEFAULT_GOAL := help
PYTHON ?= python3
export PYTHONPATH := src:.:client

VENV := .venv/ready
SAM := .venv-sam/ready
BENCH := .venv-bench/ready
AUDIT := .venv-audit/ready
RUN := .venv/bin

$(VENV): requirements/dev.txt requirements/uv.txt
	@echo "Setting up .venv (once) ..."
	@$(PYTHON) -m venv --clear .venv
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@.venv/bin/uv pip sync --quiet --python .venv/bin/python requirements/dev.txt
	@touch $@

# Tools whose pins conflict with the local cloud's have environments of their own: aws-sam-cli (sam), the matching libraries that
# findmatches is compared with (bench), checkov and pip-audit (audit).
$(SAM) $(BENCH) $(AUDIT): .venv-%/ready: requirements/%.txt $(VENV)
	@echo "Setting up .venv-$* (once) ..."
	@$(PYTHON) -m venv --clear .venv-$*
	@.venv/bin/uv pip sync --quiet --python .venv-$*/bin/python requirements/$*.txt
	@touch $@

.PHONY: help
help: ## list every target in one line each
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

.PHONY: lock
lock: $(VENV) ## pin the dependencies of pyproject.toml in requirements/ and src/requirements.txt
	@requirements/lock

# The local cloud's CloudFormation takes its SAM transform from sam's environment.
.PHONY: demo
demo: $(VENV) $(SAM) ## run the whole loop on real records (DATA=my.csv PRIMARY_KEY=id TRUTH=column for your own table)
	@$(RUN)/python -m local.demo $(if $(DATA),--data '$(DATA)') $(if $(PRIMARY_KEY),--primary-key '$(PRIMARY_KEY)') $(if $(TRUTH),--truth '$(TRUTH)')

.PHONY: up
up: $(VENV) $(SAM) ## start the local cloud and deploy to it (endpoints: .local/stack.json)
	@$(RUN)/python -m local.cloud up $(foreach address,$(ALSO_ON),--also-on $(address))

.PHONY: down
down: $(VENV) ## stop the local cloud
	@$(RUN)/python -m local.cloud down

.PHONY: sample
sample: $(VENV) ## create a sample table and transform in the local cloud; prints the transform's id
	@$(RUN)/python -m local.sample

.PHONY: test
test: $(VENV) $(SAM) ## set everything up, then run all tests
	@$(RUN)/pytest -n auto --dist loadfile --no-loadscope-reorder --durations=15 --junitxml=.local/tests.xml

.PHONY: chaos
chaos: $(VENV) $(SAM) ## inject a fault at every AWS call, in real processes (EVERY=2 runs every second case, MINUTES=15 as many as fit)
	@$(RUN)/python -m tests.chaos $(if $(EVERY),--every $(EVERY)) $(if $(FIRST),--first $(FIRST)) $(if $(MINUTES),--minutes $(MINUTES))

.PHONY: simulate
simulate: $(VENV) ## play 100,000 simulated schedules of crashes, lost responses and races (SEED=n explains one, SCHEDULES=1000)
	@$(RUN)/python -m tests.simulation $(if $(SEED),--seed $(SEED)) $(if $(SCHEDULES),--schedules $(SCHEDULES))

.PHONY: load
load: $(VENV) $(SAM) ## 50 callers for a minute: responses, latency, memory
	@$(RUN)/python -m tests.load

.PHONY: bench
bench: $(VENV) $(SAM) ## measure cold and warm starts, size and memory against peers; writes docs/performance.md (ONLY=cold,warm; needs valgrind, Docker)
	@$(RUN)/python -m bench $(if $(ONLY),--only '$(ONLY)')

.PHONY: bench-matching
bench-matching: $(BENCH) ## measure matching against splink; writes docs/performance.md (ROWS=10000, SEEDS=1, TABLES=my.csv, PEERS=dedupe)
	@$(RUN)/python -m bench.matching $(TABLES) --seeds $(or $(SEEDS),3) --peers $(or $(PEERS),splink-any) $(if $(ROWS),--rows $(ROWS))

.PHONY: redrive
redrive: $(VENV) ## send messages of the dead-letter queues again (LOCAL=1 for the local cloud, STACK=name, DRY_RUN=1)
	@$(RUN)/python -m ops.redrive $(if $(LOCAL),--local) $(if $(STACK),--stack '$(STACK)') $(if $(DRY_RUN),--dry-run)

# sam needs a region even for offline commands, and python3.13 on the PATH (or pyenv's) to resolve the functions' packages.
WITH_PYTHON313 := PATH="$(or $(lastword $(wildcard $(HOME)/.pyenv/versions/3.13*/bin)),/usr/bin):$$PATH"
SAM_CLI := SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=$${AWS_DEFAULT_REGION:-us-east-1} $(WITH_PYTHON313) .venv-sam/bin/sam

.PHONY: validate
validate: $(SAM) ## check template.yaml (sam validate --lint)
	@$(SAM_CLI) validate --lint

.PHONY: build
build: $(SAM) ## build the functions for arm64 (sam build); needs python3.13
	@$(SAM_CLI) build

.PHONY: sam-cloud
sam-cloud: $(VENV) $(SAM) ## start the local cloud where sam local's containers can reach it (docs/sam-local.md)
	@$(RUN)/python -m local.cloud.sam_local

.PHONY: sam-local
sam-local: $(VENV) $(SAM) ## test every sample event and the API in sam local's containers (tests/e2e); needs Docker and python3.13
	@SAM_LOCAL=1 $(WITH_PYTHON313) $(RUN)/pytest -n 2 tests/e2e

.PHONY: deploy
deploy: $(VENV) $(SAM) ## check stage and credentials, then build and deploy to your AWS account (STAGE=dev or prod, from samconfig.toml)
	@SAM_CLI_TELEMETRY=0 $(WITH_PYTHON313) $(RUN)/python -m ops.deploy --stage '$(or $(STAGE),dev)'

.PHONY: contracts
contracts: $(VENV) ## generate docs/api: OpenAPI, AsyncAPI, JSON Schemas, the schema registry's template
	@$(RUN)/python -m contracts

.PHONY: lint
lint: $(VENV) $(SAM) ## ruff, mypy strict, import-linter, generated files, sam validate, cfn-lint with the serverless rules
	@$(RUN)/ruff check .
	@$(RUN)/ruff format --check .
	@$(RUN)/mypy
	@$(RUN)/lint-imports
	@$(RUN)/python -m contracts --check
	@$(SAM_CLI) validate --lint
	@.venv-sam/bin/cfn-lint --append-rules cfn_lint_serverless.rules -- template.yaml docs/api/schemas.template.json

.PHONY: audit
audit: $(AUDIT) ## checkov, pip-audit and spectral (the last two need a package registry)
	@.venv-audit/bin/checkov --config-file checkov.yaml
	@ops/audit

.PHONY: format
format: $(VENV) ## format and fix what ruff can fix
	@$(RUN)/ruff format .
	@$(RUN)/ruff check --fix .
