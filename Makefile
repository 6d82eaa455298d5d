# Needs make and Python 3.11 or newer (with its venv module); everything else goes into .venv.

.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:
.PHONY: demo lab test test-long test-platforms lint golden bench help clean lock test-properties test-stress

PYTHONS := $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11 python
BIN := .venv/bin
INPUTS := pyproject.toml setup.py constraints.txt
DEMO := build/demo/00_tour

# Zig's C compiler comes in only where the machine has none.
CC_HERE := $(shell command -v cc || command -v gcc || command -v clang)
ZIG := $(if $(CC_HERE),,,zig)

demo: .venv/.has-demo ## run the tour notebook and leave it, executed, in build/demo
	$(BIN)/python notebooks/run.py
	@echo "executed notebook: $(DEMO).ipynb"
	@echo "as a web page:     $(DEMO).html"

lab: .venv/.has-lab ## open the tour in JupyterLab (the executed one, if make demo has run)
	$(BIN)/jupyter lab $(firstword $(wildcard $(DEMO).ipynb) notebooks/00_tour.ipynb)

test: .venv/.has-test ## run the tests and doctests, on two cores
	$(BIN)/python -m pytest -n 2 --dist worksteal -m 'not platforms and not long'

test-long: .venv/.has-test ## the explorer in a real JupyterLab, the mixtures' notebooks, what else takes long
	$(BIN)/python -m pytest -n 2 --dist loadfile tests -m long

test-platforms: .venv/.has-test ## the tour without a compiler (PoCL, ziglang); acceptance kernels on OpenCL
	$(BIN)/python -m pytest -n 2 tests -m platforms

test-properties: .venv/.has-test ## a thousand generated kernels against the plain Python, in three minutes
	SEJITS_PROPERTY_SECONDS=$(or $(SEJITS_PROPERTY_SECONDS),45) \
	$(BIN)/python -m pytest -n 2 --dist worksteal tests/properties

test-stress: .venv/.has-test ## eight processes tune and record at once for a minute: nothing is lost
	SEJITS_STRESS_S=$(or $(SEJITS_STRESS_S),60) $(BIN)/python -m pytest -s tests/tune/test_stress.py

lint: .venv/.has-dev ## check style and types (ruff, mypy)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

golden: .venv/.has-test ## write the golden files anew; review them with git diff
	$(BIN)/python -m pytest tests/golden tests/diagnostics \
	  tests/acceptance/test_gmm_language.py --update-golden

bench: .venv/.has-bench ## run the benchmarks beside NumPy, SciPy, Numba (CASES=laplacian: a part)
	$(BIN)/python -m benchmarks.run $(CASES)

# Run it with the oldest Python that we promise, for example Debian's own: make lock PYTHON=...
lock: .venv/.made ## pin the newest versions that fit pyproject.toml in constraints.txt
	rm -rf build/lock && $(or $(PYTHON),$(BIN)/python) -m venv build/lock
	build/lock/bin/pip install --quiet --disable-pip-version-check --editable '.[all,bench,test,dev]'
	{ echo "# Every package that an extra brings, pinned: make lock"; \
	  build/lock/bin/pip freeze --all --exclude pip --exclude sejits_nb; } > build/constraints.txt
	mv build/constraints.txt constraints.txt

clean: ## remove the virtual environment and everything that was built
	rm -rf .venv build dist *.egg-info .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-15s %s\n", $$1, $$2 }' Makefile

# One stamp a set of extras, so that a target installs only what it needs and only once.
.venv/.has-bench: EXTRAS = bench,demo$(ZIG)
.venv/.has-demo: EXTRAS = demo$(ZIG)
.venv/.has-lab: EXTRAS = lab,demo$(ZIG)
.venv/.has-test: EXTRAS = test$(ZIG)
.venv/.has-dev: EXTRAS = test,dev
.venv/.has-%: .venv/.made $(INPUTS)
	@echo "installing sejits_nb[$(EXTRAS)] into .venv ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check \
	  --constraint constraints.txt --editable '.[$(EXTRAS)]'
	@touch $@

.venv/.made:
	@for python in $(PYTHONS); do \
	  if "$$python" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	  then echo "making .venv with $$python ..."; "$$python" -m venv .venv && touch $@; exit; fi; \
	done; \
	echo "sejits_nb needs Python 3.11 or newer with its venv module (Debian: apt install python3-venv)."; \
	echo "Found none as: $(PYTHONS).  Try: make PYTHON=/path/to/python3 $(MAKECMDGOALS)"; exit 1
