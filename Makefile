# make demo · make test · make check · make proof
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo install check test proof bench clean

demo:  ## a simulated mine, whole, on this machine
	@$(PYTHON) tools/install.py
	@exec $(BIN)/sevenones demo

install:
	@$(PYTHON) tools/install.py --dev --system

check: install  ## style, types and the house's law
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# In two runs: the engine of the store, where a test has it in its own process, keeps hundreds of files open, and others'
# clients in the tests of protocols know none above the 1,024th. The second run goes on where the first one failed.
EDGE := --ignore=tests/middleplatform
PLATFORM := tests/middleplatform
SHORT := $(BIN)/python -m pytest -m "not proof" -n 3 --dist loadfile --no-loadscope-reorder
LONG := $(BIN)/python -m pytest --timeout=7200

test: check  ## everything, in its short form; three files at a time, as most of a test is waiting
	@$(SHORT) $(EDGE); edge=$$?; $(SHORT) $(PLATFORM) && exit $$edge

proof: check  ## the long forms; hours
	@$(LONG) $(EDGE); edge=$$?; $(LONG) $(PLATFORM) && exit $$edge

clean:
	rm -rf .venv .sevenones .pytest_cache .mypy_cache .ruff_cache .hypothesis
