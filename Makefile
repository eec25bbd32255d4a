# Two commands set everything up: `make run` and `make test`. Both may be repeated.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
VAR ?= var
REGISTER ?= data/kutai-timur
# The service's own setting, where there is one: what is trained here is what is served.
MODELS := $(or $(SALUR_MODELS),$(VAR)/models)
# Who says what no export tells: kind, alleged wrongdoing, what is missing. Of the default region these are its own complaints.
ASPECTS ?= data/kutai-timur
# Exports of this region's complaints, whoever they went to: how people here write is learnt from them.
UNLABELLED ?=
UNTOLD = $(addprefix --unlabelled ,$(UNLABELLED))
# Other regions' labelled complaints, imported under this register's agencies: learnt from, never judged by.
TRANSFER ?=
OTHERS = $(addprefix --transfer ,$(TRANSFER))
# "yes" where some agencies of the register have no complaint yet: the model then knows them by their own words.
ALLOW_UNSEEN ?=
UNSEEN = $(if $(filter yes,$(ALLOW_UNSEEN)),--allow-unseen)
REAL ?= ../shared/real
# One more than there are cores: many tests wait for a server, a browser or a clock.
# Files go out in the order of tests/conftest.py, not those of most tests first: the longest have few tests.
# No more than 16: each test file of PostgreSQL takes up to eleven of its hundred connections.
TESTERS ?= $(shell n=$$(nproc); echo $$(( n < 16 ? n + 1 : 16 )))

# Tests and commands start hundreds of processes: what one of them has compiled, the next need not.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run test check lint bench notebooks wheel-check retrain model clean
help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

$(BIN)/.installed: pyproject.toml
	$(BIN)/python -m pip --version > /dev/null 2>&1 || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[service,training]'
	touch $@

$(BIN)/.developing: pyproject.toml $(BIN)/.installed
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@

# Only for these: tests must not find a setting in their environment.
run retrain: export SALUR_MODELS := $(MODELS)

$(MODELS)/current: | $(BIN)/.installed
	@echo "Training a first model of $(REGISTER) (the default takes about a minute)"
	$(BIN)/salur-training train --register $(REGISTER) --data $(REGISTER)/complaints.jsonl --aspects-from $(ASPECTS) $(OTHERS) $(UNTOLD) $(UNSEEN) --models $(MODELS) --promote --why "model pertama"

model: $(MODELS)/current  ## the default model, if there is none yet

run: $(BIN)/.installed model  ## environment, default model, database, first admin, server on 127.0.0.1:8000
	$(BIN)/salur-service setup
	$(BIN)/salur-service run

test: $(BIN)/.developing  ## environment and every test
	$(BIN)/pytest -q -n $(TESTERS) --dist loadfile --no-loadscope-reorder

check: lint test  ## lint, types, and every test

lint: $(BIN)/.developing  ## lint, format, types, imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(BIN)/.developing  ## the measurements one after another; what each printed in var/bench/NAME.txt
	$(BIN)/python tests/benchmarks/run.py --real $(REAL) --out $(VAR)/bench

notebooks: $(BIN)/.developing  ## execute every notebook; outputs stay out of git
	$(BIN)/python notebooks/execute.py

retrain: model  ## train on the default data and this desk's verdicts, compare, promote if better
	@# Gone afterwards, whatever came of it, a stopped timer or host too: what is purged must not stay in a copy.
	trap 'rm -f $(VAR)/retrain.jsonl' EXIT; trap 'exit 143' HUP INT TERM; \
	$(BIN)/salur-service export-labels --out $(VAR)/retrain.jsonl && \
	$(BIN)/salur-training retrain --register $(REGISTER) --data $(REGISTER)/complaints.jsonl --data $(VAR)/retrain.jsonl --aspects-from $(ASPECTS) $(OTHERS) $(UNTOLD) --models $(MODELS) --promote-if-better

wheel-check: $(BIN)/.developing  ## build the wheel, install it in a fresh environment, run the packaging tests there
	rm -rf $(VAR)/wheel && mkdir -p $(VAR)/wheel
	$(BIN)/python -m build --quiet --wheel --outdir $(VAR)/wheel
	$(PYTHON) -m venv $(VAR)/wheel/venv
	$(VAR)/wheel/venv/bin/python -m pip install --quiet "$$(ls $(VAR)/wheel/*.whl)[service,training]" 'pytest~=9.2'
	cd $(VAR)/wheel && venv/bin/python -I -m pytest -q --import-mode=importlib -p no:cacheprovider --noconftest -c /dev/null --rootdir . $(CURDIR)/tests/architecture/test_packaging.py
	cd $(VAR)/wheel && SALUR_DATABASE=sqlite:///salur.db venv/bin/salur-service migrate && venv/bin/salur-training --help > salur-training.txt

clean:  ## remove the environment; var/ (models, database) stays
	rm -rf $(VENV)
