# Each target is one command, and sets the environment up when needed: with the first suitable Python, and
# with PyTorch for the CPU or for CUDA (tools/environment.sh; make PYTHON=python3.12 TORCH=cpu chooses).
BIN := .venv/bin
READY := .venv/.ready
ASSIGNMENTS := $(notdir $(wildcard source/assignment*))

# Files run side by side; what a file sets up is set up once.
PYTEST := $(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder
# Tests marked `browser` need Chromium; they are left out, loudly, where there is none.
BROWSER = $$(command -v chromedriver >/dev/null || echo "-m not(browser)")
SAY_BROWSER = @command -v chromedriver >/dev/null || echo "WARNING: no chromedriver on PATH: browser tests left out"
# A tool that has nothing to say says nothing.
QUIETLY = said=$$($(1) 2>&1) || { echo "$$said"; exit 1; }
TEST_OPTIONS ?=

.PHONY: demo quick test test-full lint release grade notebooks mutate flakes faults bench docs lock

demo: $(READY)
	@$(BIN)/python -m autograder demo

# While working, at most four minutes: style, types, layers, unit tests, and what the change since
# main touches (tools/touched.py). No test is begun after CS231N_TEST_SECONDS; it says which.
quick: lint
	$(SAY_BROWSER)
	$(BIN)/python tools/touched.py | CS231N_TEST_SECONDS=120 xargs -d '\n' $(PYTEST) -q $(BROWSER) tests/unit

test: $(READY)
	$(SAY_BROWSER)
	$(PYTEST) $(BROWSER) $(TEST_OPTIONS)

# Every night: all tests with all their rounds, graders killed twenty times, all mutants, flakes.
test-full: $(READY)
	$(SAY_BROWSER)
	CS231N_NIGHTLY=1 $(PYTEST) $(BROWSER) $(TEST_OPTIONS)
	$(MAKE) mutate
	$(MAKE) flakes

SCRIPTS := $(wildcard deploy/*.sh tools/*.sh) deploy/ci/grade_push
SCHEMA = $(call QUIETLY,$(BIN)/check-jsonschema --builtin-schema vendor.$(1))

lint: $(READY)
	@$(BIN)/ruff check -q .
	@$(BIN)/ruff format -q --check .
	@$(call QUIETLY,$(BIN)/shellcheck $(SCRIPTS))
	@$(call SCHEMA,github-workflows deploy/ci/github/*.yml)
	@$(call SCHEMA,gitlab-ci --data-transform gitlab-ci deploy/ci/gitlab/*.yml)
	@$(call QUIETLY,$(BIN)/pyright)
	@$(call QUIETLY,$(BIN)/lint-imports --no-logo)

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
	CS231N_NIGHTLY=1 $(BIN)/python -m pytest tests/grading/test_faults.py

bench: $(READY)
	$(BIN)/python -m benchmarks.overhead

# The site: documents, notebooks, commands; build/site/index.html opens without a server.
docs: $(READY)
	@$(BIN)/python -m tools.website

# After changing a dependency: resolve anew, then write down what was resolved.
lock: $(READY)
	$(BIN)/pip install -q -e '.[dev]'
	$(BIN)/pip freeze --all --exclude-editable | grep -v '^pip==' | sed 's/+cpu$$//' > requirements.lock
	$(BIN)/python tools/lock_torch.py

$(READY): requirements.lock torch-cpu.lock torch-cuda.lock pyproject.toml
	@PYTHON="$(PYTHON)" TORCH="$(TORCH)" tools/environment.sh
	@touch $@
