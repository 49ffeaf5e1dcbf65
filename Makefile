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

test: check  ## everything, in its short form; three files at a time, as most of a test is waiting
	$(BIN)/python -m pytest -m "not proof" -n 3 --dist loadfile

proof: check  ## the long forms; hours
	$(BIN)/python -m pytest --timeout=7200

clean:
	rm -rf .venv .sevenones .pytest_cache .mypy_cache .ruff_cache .hypothesis
