# make demo    cluster the bundled sample and print where its page is
# make test    everything CI runs: lint, types, tests
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test lint fix docs bench bench-clusterbert clean

demo: .venv/installed
	$(BIN)/newsnest demo

test: .venv/installed lint
	$(BIN)/pytest

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

fix: .venv/installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: .venv/installed
	$(BIN)/python -m newsnest.cli.reference > docs/reference/cli.md

# Needs the real data: make bench DATA=path
BENCHMARKS = story_rules defaults single_cut stream clustering whole_run encoding rac million page pairs \
	adapter languages copies corpus_reading
bench: .venv/installed
	for name in $(BENCHMARKS); do $(BIN)/python benchmarks/$$name.py --data $(DATA) || exit 1; done

# Needs the extra compare; PROFILE=full wants a GPU. Resumes an interrupted run.
PROFILE ?= small
bench-clusterbert: .venv/installed
	$(BIN)/python benchmarks/clusterbert.py --data $(DATA) --profile $(PROFILE)

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -c constraints.txt torch
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev]'
	touch $@

clean:
	rm -rf .venv demo.nest demo.html
