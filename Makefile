# Everything a newcomer needs: `make demo` and `make test`. Each target says in its comment what it does (make help).
.DEFAULT_GOAL := help
PYTHON ?= python3
export PYTHONPATH := src:.:client

VENV := .venv/ready
SAM := .venv-sam/ready
BENCH := .venv-bench/ready
AUDIT := .venv-audit/ready
RUN := .venv/bin

$(VENV): requirements/dev.txt
	@echo "Setting up .venv (once) ..."
	@$(PYTHON) -m venv --clear .venv
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check uv
	@.venv/bin/uv pip sync --quiet --python .venv/bin/python requirements/dev.txt
	@touch $@

# What pins otherwise than the local cloud does has an environment of its own: aws-sam-cli (sam), the matchers that the engine is
# compared with (bench), checkov and pip-audit (audit).
$(SAM) $(BENCH) $(AUDIT): .venv-%/ready: requirements/%.txt $(VENV)
	@echo "Setting up .venv-$* (once) ..."
	@$(PYTHON) -m venv --clear .venv-$*
	@.venv/bin/uv pip sync --quiet --python .venv-$*/bin/python requirements/$*.txt
	@touch $@

.PHONY: help
help: ## list every target in one line each
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

.PHONY: lock
lock: $(VENV) ## resolve pyproject.toml into requirements/ and src/requirements.txt again
	@requirements/lock

# CloudFormation's SAM transform in the local cloud comes from sam's environment.
.PHONY: demo
demo: $(VENV) $(SAM) ## the whole loop on real records, end to end (DATA=my.csv PRIMARY_KEY=id TRUTH=column for your own)
	@$(RUN)/python -m local.demo $(if $(DATA),--data '$(DATA)') $(if $(PRIMARY_KEY),--primary-key '$(PRIMARY_KEY)') $(if $(TRUTH),--truth '$(TRUTH)')

.PHONY: up
up: $(VENV) $(SAM) ## start the local cloud, deploy to it, leave it running (.local/stack.json)
	@$(RUN)/python -m local.cloud up $(foreach address,$(ALSO_ON),--also-on $(address))

.PHONY: down
down: $(VENV) ## stop the local cloud
	@$(RUN)/python -m local.cloud down

.PHONY: sample
sample: $(VENV) ## a table and a transform to try things on, in the local cloud; prints the transform's id
	@$(RUN)/python -m local.sample

.PHONY: test
test: $(VENV) $(SAM) ## set up from nothing, then run all tests
	@$(RUN)/pytest -n auto --dist loadfile --no-loadscope-reorder --durations=15 --junitxml=.local/tests.xml

.PHONY: chaos
chaos: $(VENV) $(SAM) ## every fault at every AWS call, in real processes; nothing twice, nothing lost (EVERY=2 plays each second case, MINUTES=15 as many as that allows)
	@$(RUN)/python -m tests.chaos $(if $(EVERY),--every $(EVERY)) $(if $(FIRST),--first $(FIRST)) $(if $(MINUTES),--minutes $(MINUTES))

.PHONY: load
load: $(VENV) $(SAM) ## 50 callers for a minute: answers, times, memory
	@$(RUN)/python -m tests.load

.PHONY: bench
bench: $(VENV) $(SAM) ## cold and warm starts, size, memory beside the peers; writes docs/performance.md (ONLY=cold,warm; needs valgrind, Docker)
	@$(RUN)/python -m bench $(if $(ONLY),--only '$(ONLY)')

.PHONY: bench-matching
bench-matching: $(BENCH) ## the engine's quality, then its time and memory beside splink (ROWS=10000, SEEDS=1, TABLES=my.csv, PEERS=dedupe)
	@$(RUN)/python -m bench.matching.quality $(TABLES) --seeds $(or $(SEEDS),3) $(if $(PEERS),--peers $(PEERS))
	@$(RUN)/python -m bench.matching.scale $(ROWS)

.PHONY: redrive
redrive: $(VENV) ## send the dead letters through their doors again (LOCAL=1 for the local cloud, STACK=name, DRY_RUN=1)
	@$(RUN)/python -m ops.redrive $(if $(LOCAL),--local) $(if $(STACK),--stack '$(STACK)') $(if $(DRY_RUN),--dry-run)

# sam wants a region even where it asks no one, and python3.13 on the PATH (else pyenv's) to resolve the functions' packages.
WITH_PYTHON313 := PATH="$(or $(lastword $(wildcard $(HOME)/.pyenv/versions/3.13*/bin)),/usr/bin):$$PATH"
SAM_CLI := SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=$${AWS_DEFAULT_REGION:-us-east-1} $(WITH_PYTHON313) .venv-sam/bin/sam

.PHONY: validate
validate: $(SAM) ## check template.yaml (sam validate --lint)
	@$(SAM_CLI) validate --lint

.PHONY: build
build: $(SAM) ## build the functions for arm64 (sam build); needs python3.13
	@$(SAM_CLI) build

.PHONY: sam-cloud
sam-cloud: $(VENV) $(SAM) ## start the local cloud within reach of sam local's containers (docs/sam-local.md)
	@$(RUN)/python -m local.cloud.sam_local

.PHONY: sam-local
sam-local: $(VENV) $(SAM) ## every sample and the API in sam local's containers (tests/e2e); needs Docker and python3.13
	@SAM_LOCAL=1 $(WITH_PYTHON313) $(RUN)/pytest -n 2 tests/e2e

.PHONY: deploy
deploy: $(SAM) ## build, and deploy to the AWS account of your credentials, with samconfig.toml's STAGE (dev or prod)
	@$(SAM_CLI) build
	@$(SAM_CLI) deploy --config-env $(or $(STAGE),dev)

.PHONY: contracts
contracts: $(VENV) ## write docs/api again: OpenAPI, AsyncAPI, JSON Schemas, the schema registry's template
	@$(RUN)/python -m contracts

.PHONY: lint
lint: $(VENV) $(SAM) ## ruff, mypy strict, import-linter, generated files, sam validate, cfn-lint with the serverless rules
	@$(RUN)/ruff check .
	@$(RUN)/ruff format --check .
	@$(RUN)/mypy
	@$(RUN)/lint-imports
	@$(RUN)/python -m contracts --check
	@$(SAM_CLI) validate --lint
	@.venv-sam/bin/cfn-lint --append-rules cfn_lint_serverless.rules --ignore-checks $(SERVERLESS_LEFT_OUT) -- template.yaml docs/api/schemas.template.json

# X-Ray: see checkov.yaml. Each function has its log group, under a name that the rule does not look for. The queues are dead-letter queues.
SERVERLESS_LEFT_OUT := WS1000 WS1004 WS2002 ES6000

.PHONY: audit
audit: $(AUDIT) ## checkov, pip-audit and spectral; the last two only where a registry answers
	@.venv-audit/bin/checkov --config-file checkov.yaml
	@ops/audit

.PHONY: format
format: $(VENV) ## format and fix what ruff can fix
	@$(RUN)/ruff format .
	@$(RUN)/ruff check --fix .
