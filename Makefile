# make run    installs, trains if there is no model yet, and serves on http://127.0.0.1:8000
# make test   installs what the tests need, and runs every check and test

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: install install-dev run test check format bench

install: $(VENV)/.installed

install-dev: $(VENV)/.installed-dev

# venv installs pip last: without it, the environment is half made, and made again
$(VENV)/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo 'diamond-core needs Python 3.11 or newer; set PYTHON=/path/to/python3' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null \
	  || { echo "$(PYTHON) cannot make a venv; on Debian and Ubuntu: apt install python$$($(PYTHON) -c \
	    'import sys; print("%d.%d" % sys.version_info[:2])')-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/pip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[train]'
	@$(BIN)/python -m compileall -q src  # sooner starts, also where Python may not write bytecode
	@touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(VENV)/bin/pip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@$(BIN)/python -m compileall -q src
	@touch $@ $(VENV)/.installed

run: install
	@$(BIN)/diamond models show champion >/dev/null 2>&1 || $(BIN)/diamond train
	$(BIN)/diamond serve

test: install-dev check
	@scripts/install-test-tools
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile --durations 15

check: install-dev
	$(BIN)/ruff format --check src tests benchmarks examples
	$(BIN)/ruff check src tests benchmarks examples
	$(BIN)/mypy
	$(BIN)/lint-imports
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	$(BIN)/kubectl kustomize deploy/kubernetes/overlays/example --output $(VENV)/manifests.yaml
	$(BIN)/kubernetes-validate --strict --quiet $(VENV)/manifests.yaml

format: install-dev
	$(BIN)/ruff format src tests benchmarks examples
	$(BIN)/ruff check --fix src tests benchmarks examples

# the servers that docs/performance.md compares with, in environments of their own
.peers/mlflow .peers/bentoml:
	$(PYTHON) -m venv $@ && $@/bin/python -m pip install --quiet --disable-pip-version-check $(@F) onnx onnxruntime \
	  || { rm -rf $@; exit 1; }

bench: install-dev .peers/mlflow .peers/bentoml
	$(BIN)/python benchmarks/_performance.py
