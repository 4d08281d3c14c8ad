# A fresh clone needs Python 3.11 to 3.13, make, and a PyPI mirror; `make help` lists what can be done.

PYTHON      ?=
TORCH_INDEX ?=
SCALE       ?= reduced
BUDGET      ?=
EXPERIMENT  ?=
WORKERS     ?= 2

VENV      := .venv
RUN       := $(VENV)/bin/python
READY     := $(VENV)/.ready
BOOK      := _build/html/index.html
LIBRARY   := $(shell find lggkit -name '*.py')
NUMBERS   := $(shell find data/paper data/results -type f -not -path '*/bench/*' 2>/dev/null)
BENCHES   := $(wildcard data/results/bench/*.json)
PAGES     := $(shell find book -type f -not -name '.*' 2>/dev/null)
NOTEBOOKS := $(shell find notebooks -name '*.ipynb' -not -path '*/.*' 2>/dev/null)
EXECUTED  := $(NOTEBOOKS:%=_build/%)

export JUPYTER_PLATFORM_DIRS := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Each of two dozen kernels imports torch: from source, where byte code may not be written, that is half its time.
unexport PYTHONDONTWRITEBYTECODE

# Another TORCH_INDEX than the one set up with: set up again.
ifneq ($(TORCH_INDEX),)
ifneq ($(TORCH_INDEX),$(shell cat $(READY) 2>/dev/null))
$(READY): again
endif
endif

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help book test lab notebooks study bench lint setup executed html clean clean-venv again

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "  PYTHON=python3.12      the interpreter (default: the first of python3, python3.13 ... that fits)"
	@echo "  TORCH_INDEX=URL        where torch and torchvision come from, e.g. https://download.pytorch.org/whl/cpu"
	@echo "  SCALE= BUDGET= EXPERIMENT=   what make study measures, e.g. SCALE=paper BUDGET=9m EXPERIMENT=lgg/s41_distillation"
	@echo "  WORKERS=2              how many processes work at once (make study: on a CPU, at SCALE=short and reduced)"

book: ## run every notebook at scale=smoke and build the book into _build/html
	@start=$$(date +%s); $(MAKE) --no-print-directory -j$(WORKERS) html && \
	echo "The book is $(CURDIR)/$(BOOK) ($$(( $$(date +%s) - start )) s)"

test: $(READY) ## unit tests, and the committed notebooks with nbval
	OMP_NUM_THREADS=1 $(RUN) -m pytest -q -n $(WORKERS) --dist loadscope --nbval-lax --nbval-current-env tests $(NOTEBOOKS)

lab: $(VENV)/bin/jupyter-lab ## open the notebooks in JupyterLab, installed by this
	$(VENV)/bin/jupyter-lab notebooks

notebooks: $(READY) ## execute the percent sources again and write the committed notebooks (NOTEBOOK=one.py)
	OMP_NUM_THREADS=1 $(RUN) -m lggkit.study.publishing.notebooks pair --workers $(WORKERS) $(NOTEBOOK)

study: $(READY) ## measure what data/results lacks at SCALE, within BUDGET; resumable
	$(RUN) -m lggkit study run --progress --scale $(SCALE) $(if $(filter short reduced,$(SCALE)),--workers $(WORKERS)) $(if $(BUDGET),--budget $(BUDGET)) $(if $(EXPERIMENT),--experiment $(EXPERIMENT))

bench: $(READY) ## time what the library claims to do fast, into data/results/bench
	$(RUN) tools/bench.py $(wildcard tests/bench/bench_*.py)

lint: $(READY) ## ruff, rules and format
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .

setup: $(READY) ## only make .venv and install

clean: ## remove what was built, keep .venv and what was measured
	rm -rf _build/html _build/.doctrees _build/stage _build/pages _build/notebooks

clean-venv: ## remove .venv
	rm -rf $(VENV)

$(READY): pyproject.toml constraints.txt tools/setup.py tools/check_torch.py
	@fits='import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'; \
	for python in $(or $(PYTHON),python3 python3.13 python3.12 python3.11 python); do \
	  if $$python -c "$$fits" 2>/dev/null; then \
	    $$python tools/setup.py --torch-index "$(TORCH_INDEX)" && echo "$(TORCH_INDEX)" > $@; exit $$?; \
	  fi; \
	done; \
	echo "error: no Python 3.11, 3.12 or 3.13 with venv and pip was found (tried: $(or $(PYTHON),python3 python3.13 python3.12 python3.11 python)); install one, or name it: make PYTHON=/path/to/python" >&2; exit 1

$(VENV)/bin/jupyter-lab: $(READY)
	$(RUN) -m pip install -q --constraint constraints.txt --editable ".[lab]"
	@touch $@

executed: $(EXECUTED)

# Smoke is one thread a notebook: a few small tensors gain nothing from more.
_build/notebooks/%.ipynb: notebooks/%.ipynb $(LIBRARY) $(NUMBERS) | $(READY)
	@OMP_NUM_THREADS=1 $(RUN) -m lggkit.study.publishing.notebooks run $< $@ -p scale smoke

define sources
_build/$(1): $(wildcard $(1:.ipynb=.py))
endef
$(foreach notebook,$(NOTEBOOKS),$(eval $(call sources,$(notebook))))

html: $(BOOK)

# A failed build leaves nothing behind: Sphinx would not repeat its warnings about pages it has read.
$(BOOK): $(EXECUTED) $(PAGES) $(LIBRARY) $(NUMBERS) $(BENCHES) _config.yml _toc.yml | $(READY)
	@$(RUN) -m lggkit.study.publishing.stage . _build/notebooks _build/stage
	@OMP_NUM_THREADS=1 $(VENV)/bin/jupyter-book build _build/stage --path-output . -n -W --keep-going -q > /dev/null \
	  || { rm -rf _build/html _build/.doctrees; echo "error: the book has warnings, listed above" >&2; exit 1; }
	@touch $@
