# One door for a user, a developer and continuous integration. Recipes are one line each; the work is in compose/ci/.
# Paths here are relative, so that a checkout may lie in a folder with spaces in its name.
.DEFAULT_GOAL := help
.PHONY: help demo test test-all thorough check bench chaos e2e soak fuzz protos schemas lock clean
SHELL := /bin/sh
# Two targets share .venv/.
.NOTPARALLEL:

help: ## list these commands
	@echo "Rondgang: make COMMAND"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1	\2/p' Makefile

demo: ## a whole federation on this machine: results in var/demo (more options: ARGS="--regions 5 --keep")
	@sh compose/ci/venv.sh demo
	@.venv/bin/rondgang demo --out var/demo $(ARGS)

test: ## the tests that need no root, browser, database server or container engine
	@sh compose/ci/venv.sh dev
	@sh compose/ci/tests.sh test $(ARGS)

test-all: ## those, the slow ones, and the ones that need PostgreSQL, Chromium or a container engine
	@sh compose/ci/venv.sh dev
	@sh compose/ci/tests.sh test-all $(ARGS)

thorough: ## the long searches that the others leave out: a thousand histories, every byte, every round
	@sh compose/ci/venv.sh dev
	@sh compose/ci/tests.sh thorough $(ARGS)

check: ## lint, format, types, floors between the rooms, generated code and schemas, sizes
	@sh compose/ci/venv.sh dev
	@sh compose/ci/check.sh

bench: ## measure speed and memory against plain baselines, and how often intervals hold (STUDIES="--studies 10000")
	@sh compose/ci/venv.sh dev
	@sh compose/ci/tests.sh bench $(ARGS)
	@.venv/bin/python -m tests.bench.studies $(STUDIES)

chaos: ## kill processes two thousand times and fail their disks; then 220 faults in containers, as root (ARGS="--kills 500" STORMS="--faults 40")
	@sh compose/ci/venv.sh dev
	@.venv/bin/python -m compose.chaos $(ARGS)
	@.venv/bin/python -m tests.storms $(STORMS)

e2e: ## build the images, run a federation in containers, ask it both ways, verify its evidence (ARGS="--regions 4")
	@sh compose/ci/venv.sh demo
	@.venv/bin/python -m compose.containers $(ARGS)

soak: ## two simulated years of a federation, then ten minutes of load and a flood, ending with audits (ARGS="--minutes 3")
	@sh compose/ci/venv.sh dev
	@.venv/bin/python -m tests.soak.months
	@.venv/bin/python -m tests.soak.load $(ARGS)

fuzz: ## feed every decoder changed inputs (ARGS="--inputs 1000000"); what broke one can be kept in the corpus
	@sh compose/ci/venv.sh dev
	@.venv/bin/python -m tests.fuzz $(ARGS)

protos: ## generate the Python of the messages anew (commit the result)
	@sh compose/ci/venv.sh dev
	@sh compose/ci/protos.sh .venv/bin/python protos

schemas: ## make the JSON Schemas of the YAML files anew (commit the result)
	@sh compose/ci/venv.sh dev
	@sh compose/ci/schemas.sh .venv/bin/python policies/schemas

lock: ## resolve requirements/*.lock anew (commit the result)
	@sh compose/ci/lock.sh

clean: ## remove .venv and caches; var/ stays
	@rm -rf .venv .benchmarks .cache .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
