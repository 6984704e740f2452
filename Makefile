# What one does here: `make report` and `make test`, each from nothing.

PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
QUESTIONS := are bracket her
ARTICLES ?= 400
JOBS ?= 2
# Of tests; one more than processors, for many wait for a browser or for a process of their own.
TESTERS ?= 3
# What is used is compiled when it is first used: a fifth of all that is installed.
INSTALL := $(RUN) -m pip install --quiet --no-compile
HUB := gpt2 gpt2-medium gpt2-large gpt2-xl pythia-160m pythia-410m qwen2.5-0.5b llama-3.2-1b
TESTS = $(RUN) -m pytest -n $(TESTERS) --dist loadfile --no-loadscope-reorder

unexport PYTHONDONTWRITEBYTECODE # tests start many Pythons: what one compiled, the others need not

.DELETE_ON_ERROR:
.PHONY: help report render site artifacts study studies study-all study-hub library transplants corpus corpora app space test test-fast check docs bench picture screens lock clean

help:
	@echo "make report   compute the study on the embedded model and write report/dist/index.html"
	@echo "make render   write the report from the committed results, in a minute"
	@echo "make site     assemble the static site of all committed studies in build/site"
	@echo "make artifacts  write figures, tables, numbers and references for a paper to build/artifacts"
	@echo "make study    refresh the committed results in results/"
	@echo "make studies  refresh the committed studies of three more questions: $(QUESTIONS)"
	@echo "make study-all  all of these, and that of Gemma-3-270M, the second model that needs no hub"
	@echo "make transplants  refresh the committed transplants: its neuron back into its own model, and into Gemma"
	@echo "make corpus   read ARTICLES=$(ARTICLES) articles for the committed study, 0 for all; goes on where it was broken off"
	@echo "make corpora  the same for the committed studies of the other questions"
	@echo "make study-hub  fill the comparison's columns of models from the Hugging Face hub"
	@echo "make library  search every question of the library for a neuron: the table of the words that have one"
	@echo "make app      start the app on this machine"
	@echo "make space    assemble the folder of a Space and start the app from it, as a Space would"
	@echo "make test     run the tests"
	@echo "make test-fast  run those that need no model, no browser and no patience"
	@echo "make check    check format, lint, docstrings and types; changes nothing"
	@echo "make docs     build the documentation in build/docs"
	@echo "make bench    time sweep, scan, census and starts, beside other libraries, for the documentation"
	@echo "make picture  redraw the README's picture from the committed results"
	@echo "make screens  take pictures of the page, section by section, at three widths"
	@echo "make lock     pin the newest versions that fit together in requirements.lock"
	@echo "make clean    delete what these made, but not the downloads in your cache"

report: $(VENV)/runtime
	$(RUN) -m analysis study --out build/results --jobs $(JOBS)
	$(RUN) -m report --results build/results

render: $(VENV)/runtime
	$(RUN) -m report

site: $(VENV)/dev
	$(RUN) -m report --out build/site --stills

artifacts: $(VENV)/dev
	$(RUN) -m report.artifacts

study: $(VENV)/runtime
	$(RUN) -m analysis study --jobs $(JOBS)

studies: $(VENV)/runtime
	for question in $(QUESTIONS); do $(RUN) -m analysis study --question $$question --jobs $(JOBS) || exit; done

study-all: study studies
	$(RUN) -m analysis study --model gemma-3-270m --jobs $(JOBS)

transplants: $(VENV)/runtime
	$(RUN) -m analysis transplant --neuron L25N1527 --recipient gemma-3-270m --keep results
	$(RUN) -m analysis transplant --neuron L25N1527 --keep results

corpus: $(VENV)/runtime
	mkdir -p build/corpus
	$(RUN) -m analysis corpus-scan --documents $(ARTICLES) --results results --table build/corpus/neurons.parquet

corpora: $(VENV)/runtime
	for question in $(QUESTIONS); do \
	  $(RUN) -m analysis corpus-scan --question $$question --documents $(ARTICLES) --results results || exit; done

study-hub: $(VENV)/runtime
	$(RUN) -m analysis comparison $(HUB) --keep results

library: $(VENV)/runtime
	$(RUN) -m analysis library --keep results

app: $(VENV)/runtime
	$(RUN) app.py

space: $(VENV)/runtime
	$(RUN) -m space.assemble build/space
	$(PYTHON) -m venv build/space-env
	build/space-env/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	build/space-env/bin/python -m pip install --quiet -r build/space/requirements.txt $$(grep '^gradio==' requirements.txt)
	cd build/space && env -u PYTHONPATH ../space-env/bin/python app.py

test: $(VENV)/dev
	$(TESTS)

test-fast: TESTERS = 2 # it waits for nothing
test-fast: $(VENV)/dev
	$(TESTS) -m "not embedded and not browser and not slow"

check: $(VENV)/dev
	$(RUN) -m ruff format --check .
	$(RUN) -m ruff check .
	$(RUN) -m mypy

docs: $(VENV)/dev
	NO_MKDOCS_2_WARNING=1 $(RUN) -m mkdocs build --strict --quiet --site-dir build/docs

bench: $(VENV)/dev
	$(RUN) -m bench
	$(RUN) -m bench.page

screens: $(VENV)/dev
	$(RUN) -m report.screens

picture: $(VENV)/dev
	$(RUN) -m report.picture

lock: $(VENV)/dev
	$(RUN) -m pip install --quiet uv
	$(RUN) -m uv pip compile --quiet --upgrade --universal --python-version 3.11 --no-annotate \
	  --no-header requirements-dev.txt -o requirements.lock

clean:
	rm -rf $(VENV) build report/dist

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "error: Python 3.11 or newer is needed: run 'make PYTHON=python3.12 ...'." >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --upgrade "pip>=25.1"

# The lock holds the versions of everything that requirements name and need, on every platform.
$(VENV)/runtime: requirements.txt requirements.lock pyproject.toml | $(VENV)/bin/python
	$(INSTALL) -r requirements.txt -c requirements.lock
	$(INSTALL) --no-deps -e .
	@touch $@

$(VENV)/dev: requirements-dev.txt $(VENV)/runtime
	$(INSTALL) -r requirements-dev.txt -c requirements.lock
	@touch $@
