# The developer's menu. Settings of every tool stand in pyproject.toml; CI calls the same targets.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
LOCK := $(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --fork-strategy fewest \
	--generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-find-links

.DEFAULT_GOAL := help
.PHONY: help setup lock fmt lint types arch test check docs demo faults soak image \
	parity bench bench-peers bench-faults bench-first bench-writing bench-compiled bench-suite bench-memory bench-protocol \
	bench-units bench-time bench-cache bench-tables bytecode

help:  ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-14s %s\n", $$1, $$2}'

setup: $(READY)  ## make the virtual environment with the locked packages

$(READY): requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14) and "Python 3.11 to 3.13 is needed: make PYTHON=python3.12 setup")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements-dev.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

lock: setup  ## choose the newest allowed packages again; requirements.lock is for images and workers
	$(LOCK) --upgrade --extra boost --output-file requirements.lock
	$(LOCK) --upgrade --extra boost --group dev --constraint requirements.lock --output-file requirements-dev.lock

fmt: setup  ## format the code and mend what can be mended
	$(BIN)/ruff format . && $(BIN)/ruff check --fix .

lint: setup  ## style, likely bugs, spelling
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/codespell

types: setup  ## mypy, strict
	$(BIN)/mypy

arch: setup  ## imports point down, kinds and sizes follow the rules
	$(BIN)/pytest tests/architecture

test: setup  ## all tests, in two processes
	$(BIN)/pytest -n 2

check: lint types arch test  ## everything that CI asks for

docs: setup  ## write the JSON Schema and the README's table of kinds again
	$(BIN)/python scripts/write_config_schema.py && $(BIN)/python scripts/write_kinds_table.py

parity: setup  ## try two thousand drawn pipelines against scikit-learn, ten times what `make test` does
	SCORELINE_PARITY=2000 $(BIN)/pytest tests/compiled/parity -s

demo: setup  ## make messy sample data and run the whole job on it
	$(BIN)/scoreline demo

faults: setup  ## break everything that can break, at full size; under an hour
	$(BIN)/python -m faults && $(BIN)/python -m faults.matrix

soak: setup  ## five hundred kills of real processes; about half an hour
	$(BIN)/python -m faults.soak

bytecode: setup
	$(BIN)/python -m compileall -q src benchmarks  # as pip does for all that it installs

bench: bytecode  ## measure speed and memory
	$(BIN)/python -m benchmarks

bench-peers: bytecode  ## measure the whole job against engines that call scikit-learn; hours, or PEERS="--workloads tiny"
	$(BIN)/python -m benchmarks.peers_speed $(PEERS)

CONTENDERS := dask dask_overwrite delta_overwrite delta_append delta_dask_append scoreline
bench-faults: bytecode  ## put Scoreline and its peers under the same kills and lost answers
	for name in $(CONTENDERS); do $(BIN)/python -m benchmarks.peers_under_faults --contenders $$name || exit 1; done

bench-protocol: bytecode  ## measure what exactly-once costs
	$(BIN)/python -m benchmarks.protocol_overhead

bench-writing: bytecode  ## measure writing with input columns copied against encoding them
	$(BIN)/python -W ignore -m benchmarks.passing_on

bench-first: bytecode  ## measure the first prediction of a new process, and one record
	$(BIN)/python -m benchmarks.first_prediction

bench-compiled: bytecode  ## measure compiled pipelines against scikit-learn in one process
	$(BIN)/python -m benchmarks.compiled_kernels && $(BIN)/python -m benchmarks.tree_walks

bench-suite: bytecode  ## measure the transform stage alone, and many kinds of pipelines against scikit-learn
	$(BIN)/python -W ignore -m benchmarks.encoding && $(BIN)/python -W ignore -m benchmarks.never_slower

bench-memory: bytecode  ## measure the memory of workers over more and more rows
	$(BIN)/python -W ignore -m benchmarks.flat_memory && $(BIN)/python -W ignore -m benchmarks.worker_environment

bench-units: bytecode  ## measure many files and many units
	$(BIN)/python -m benchmarks.many_units

bench-time: bytecode  ## measure where the time of a whole job goes
	$(BIN)/python -W ignore -m benchmarks.where_time_goes

bench-cache: bytecode  ## measure the first job of an artifact against later ones
	$(BIN)/python -W ignore -m benchmarks.remembered

bench-tables: setup  ## write the benchmarks' tables from their results
	$(BIN)/python -m benchmarks.tables

image: setup  ## build the container image and start it once
	scripts/build_docker.sh
