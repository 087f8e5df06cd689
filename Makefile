PYTHON ?= python3
INSTALLED := .venv/.installed
ONE_THREAD := OMP_NUM_THREADS=1

.PHONY: quickstart real test test-all check bench clean

quickstart: $(INSTALLED)  ## run the main job on the shipped organism and say where the report is
	.venv/bin/coupling quickstart

# --limit leaves steps and checkpoints as they are, which alone would take hours.
REAL := --limit 120 --set name=smollm2-small --set training.steps=24 --set 'training.checkpoints=[0,24]' \
	--set evaluation.checkpoint=24

real: $(INSTALLED)  ## fetch SmolLM2-135M-Instruct and run the main job on it, small: half an hour of two cores
	.venv/bin/coupling fetch smollm2-135m
	.venv/bin/coupling run smollm2 $(REAL)

test: $(INSTALLED)  ## the tests, without the slow ones
	$(ONE_THREAD) .venv/bin/pytest -n 2

test-all: $(INSTALLED)  ## all tests
	$(ONE_THREAD) .venv/bin/pytest -n 2 -m ""

check: $(INSTALLED)  ## style and types
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

bench: $(INSTALLED)  ## what is fast, as ratios measured within one run
	$(ONE_THREAD) .venv/bin/python -m benchmarks

clean:  ## remove what the other targets made, but for the runs
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist
	find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

$(INSTALLED): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed: make PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	.venv/bin/pip install -r requirements.lock
	.venv/bin/pip install --no-deps --no-build-isolation -e .
	touch $@
