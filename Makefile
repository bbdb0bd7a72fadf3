# Each target first does the whole set-up, which takes seconds once it is done.
.DEFAULT_GOAL := help
SHELL := bash
HERE := $(shell cd "$$(dirname "$(strip $(MAKEFILE_LIST))")" && pwd)
IN := cd "$(HERE)" && export PATH="$(HERE)/.venv/bin:$$PATH" &&

.PHONY: help setup run quick test test-conda test-faults test-inputs test-slurm check bench docs docs-site lock pins

help: ## list the targets
	@$(IN) sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1	\2/p' Makefile | expand -t 20

setup: ## system libraries, .venv, GPAW (run, quick, test, check and bench do it first)
	@$(IN) tools/setup.sh

run: setup ## everything but the DFT at the paper's scale, on the archived trajectories: half an hour on two cores
	$(IN) snakemake --workflow-profile archived && bpstudy audit --all --html results/audit

quick: setup ## the whole study on real DFT, small: ten minutes on two cores
	$(IN) snakemake --workflow-profile quick && bpstudy audit --all --html results/audit

test: setup ## all tests on all cores (at most four), the fast ones first; TESTS='-m "not slow"' chooses
	$(IN) python -m pytest -n auto --maxprocesses 4 --dist loadgroup --no-loadscope-reorder $(TESTS)

test-faults: setup ## fifty random kills, a full disk and other faults of one machine (docs/faults.md)
	$(IN) python -m pytest tests/reliability --kills 50 --faults docs/faults.json

test-inputs: setup ## wrong inputs: the second table in docs/faults.md
	$(IN) python -m pytest tests/unit -m fault --faults docs/faults.json

test-slurm: setup ## the workflow on a real SLURM of one node, set up on this machine (as root; docs/faults.md)
	$(IN) python -m pytest tests/slurm --faults docs/faults.json

test-conda: setup ## the conda environments, offline: a local channel, a stand-in for conda (docs/conda.md)
	$(IN) python -m pytest tests/conda

check: setup ## formatting, linting and types
	$(IN) ruff format --check && ruff check && mypy && snakefmt --check Snakefile workflow && snakemake --lint

bench: setup ## speed against the peers
	$(IN) python benchmarks/features.py && python benchmarks/training.py && python -m benchmarks.potential

docs: setup ## after `make run`: its pictures and tables into README.md and docs/
	$(IN) python -m tools.docs

docs-site: setup ## the documentation as a site, in site/; dead links are errors
	$(IN) NO_MKDOCS_2_WARNING=1 mkdocs build --quiet

lock: ## new requirements.lock from requirements.in
	$(IN) tools/lock.sh

pins: setup ## pin files of the conda environments, where conda reaches its channels (docs/conda.md)
	$(IN) python tools/pins.py
