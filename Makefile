# Each target is one command; `make demo` and `make test` set the environment up when needed.
PYTHON ?= python3.11
BIN := .venv/bin
READY := .venv/.ready
ASSIGNMENTS := $(notdir $(wildcard source/assignment*))

.PHONY: demo test lint release grade notebooks mutate flakes faults bench lock

demo: $(READY)
	$(BIN)/python -m autograder demo

# Tests marked `browser` need Chromium; they are left out, loudly, where there is none. Files run side
# by side; what a file sets up is set up once.
test: $(READY)
	@command -v chromedriver >/dev/null || echo "WARNING: no chromedriver on PATH: browser tests left out"
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder $$(command -v chromedriver >/dev/null || echo "-m not(browser)")

lint: $(READY)
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/pyright

release: $(READY)
	$(BIN)/python -m autograder release

# make grade ASSIGNMENT=assignment1
grade: $(READY)
	$(BIN)/python -m autograder grade $(ASSIGNMENT)

notebooks: $(READY)
	$(BIN)/python -m autograder notebooks

# How good the hidden checks are; also writes the tables of docs/mutation.md.
mutate: $(READY)
	@status=0; for assignment in $(ASSIGNMENTS); do \
	$(BIN)/python -m autograder mutate $$assignment --document docs/mutation.md || status=1; \
	done; exit $$status

# Right solutions: ours graded 200 times, others 20 times, each time with other random numbers.
flakes: $(READY)
	@status=0; for assignment in $(ASSIGNMENTS); do \
	$(BIN)/python -m autograder flakes $$assignment || status=1; done; exit $$status

# Graders killed at random moments, twenty times: the gradebook must come out the same.
faults: $(READY)
	CS231N_FAULT_ROUNDS=20 $(BIN)/python -m pytest tests/grading/test_faults.py

bench: $(READY)
	$(BIN)/python benchmarks/overhead.py

# After changing a dependency: resolve anew, then write down what was resolved.
lock: $(READY)
	$(BIN)/pip install -q -e '.[dev]'
	$(BIN)/pip freeze --exclude-editable | sed 's/+cpu$$//' > requirements.lock

$(READY): requirements.lock pyproject.toml
	@echo "Setting up .venv (about a minute) ..."
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --requirement requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@
