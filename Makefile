# Every target builds the virtual environment it needs on its first run and again when the dependencies change.
PYTHON ?= python3
# `make demo` needs the core install only; tests and checks need everything.
VENV ?= .venv
DEV_VENV ?= .venv-dev
# Apache Beam wants other versions of what TensorFlow needs, so it lives apart.
BEAM_VENV ?= .venv-beam
# So does KServe.
SERVING_VENV ?= .venv-serving
DOCS_VENV ?= .venv-docs
# The packages of .venv-dev, but Keras and TensorFlow as new as they are.
NEWEST_VENV ?= .venv-newest
PYTEST_ARGS ?=
# How many tests run at a time; those of one file stay together, for they share what the first of them builds, and the
# longest come first, as tests/conftest.py has it.
TEST_WORKERS ?= 3
IN_WORKERS = --numprocesses=$(TEST_WORKERS) --dist=loadfile --no-loadscope-reorder
# What neither trains, exports nor starts many processes.
FAST_TESTS := $(addprefix tests/,test_charset.py test_config.py test_files.py test_input_files.py test_progress.py \
	test_repository.py test_recognizer.py contract data/records data/test_formats.py \
	decoding/test_pattern.py decoding/test_search.py decoding/test_trie.py evaluation/test_metrics.py \
	evaluation/test_photo_protocol.py layers/test_layers.py photo/test_order.py \
	photo/test_text_map.py reading/test_checksum.py reading/test_file_objects.py reading/test_metadata.py)
WEB_PACKAGES := deploy/web/node_modules/.package-lock.json
export CHROMIUM ?= /usr/bin/chromium
comma := ,
export TF_CPP_MIN_LOG_LEVEL ?= 2

.DEFAULT_GOAL := help
.PHONY: help demo test test_fast test_integration test_slow test_newest test_deploy test_docker test_cpp test_arm test_serving test_web web docs release_model check format clean

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z_]+:.*## / {printf "make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/installed  ## write word images with the project's own synthesis and read them with the bundled model
	@$(VENV)/bin/python bin/demo.py

test: $(DEV_VENV)/installed $(BEAM_VENV)/installed  ## run the tests (minutes; PYTEST_ARGS="-k charset" narrows them)
	SPIN_TF_BEAM_PYTHON=$(abspath $(BEAM_VENV))/bin/python $(DEV_VENV)/bin/python -m pytest -q $(IN_WORKERS) $(PYTEST_ARGS)

test_fast: $(DEV_VENV)/installed  ## run the tests of reading, decoding, layers and records (under a minute)
	$(DEV_VENV)/bin/python -m pytest -q $(IN_WORKERS) $(FAST_TESTS) $(PYTEST_ARGS)

test_integration: $(DEV_VENV)/installed  ## run what starts, kills and resumes whole programs, and the commands of the guides
	$(DEV_VENV)/bin/python -m pytest -q -m integration $(IN_WORKERS) $(PYTEST_ARGS)

test_slow: $(DEV_VENV)/installed  ## run the tests that take long
	$(DEV_VENV)/bin/python -m pytest -q -m slow $(PYTEST_ARGS)

# Keras beyond the bound of setup.cfg: what leans on its private hooks, and what it computes.
NEWEST_TESTS = tests/layers tests/models tests/decoding $(wildcard tests/training/test_*opti*.py tests/training/test_*stati*.py) tests/training/test_step.py
test_newest: $(DEV_VENV)/installed  ## run the tests of layers, models, optimizer and decoding on the newest Keras and TensorFlow
	$(DEV_VENV)/bin/python -m venv $(NEWEST_VENV)
	@echo "import site; site.addsitedir('$$($(DEV_VENV)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')')" \
		> $$($(NEWEST_VENV)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/dev.pth
	$(NEWEST_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --upgrade keras tensorflow
	@$(NEWEST_VENV)/bin/python -c 'import importlib.metadata as m; print(*(f"{name} {m.version(name)}" for name in ("keras", "tensorflow")))'
	$(NEWEST_VENV)/bin/python -m pytest -q --numprocesses=$(TEST_WORKERS) --dist=loadfile $(NEWEST_TESTS) $(PYTEST_ARGS)

test_deploy: test_docker test_cpp test_serving test_web  ## run the tests of what runs elsewhere; each names the system packages that it misses

test_docker: $(DEV_VENV)/installed  ## carry out the steps of the reading image without Docker
	$(DEV_VENV)/bin/python -m pytest -q -m deploy tests/deploy/test_docker.py $(PYTEST_ARGS)

CPP_NEEDS = cmake:cmake g++:g++ libjpeg-dev:jpeglib.h libpng-dev:png.h nlohmann-json3-dev:nlohmann/json.hpp
test_cpp: $(DEV_VENV)/installed  ## build the C++ reader and compare it with the Recognizer
	@deploy/needs.sh test_cpp $(CPP_NEEDS)
	$(DEV_VENV)/bin/python -m pytest -q -m deploy $(wildcard tests/deploy/test_cpp*.py) $(PYTEST_ARGS)

test_arm: $(DEV_VENV)/installed  ## read words with Python and C++ on an emulated ARM processor (minutes; downloads)
	@deploy/needs.sh test_arm $(CPP_NEEDS) g++-aarch64-linux-gnu:aarch64-linux-gnu-g++ qemu-user-static:qemu-aarch64-static
	$(DEV_VENV)/bin/python -m pytest -q -m deploy tests/deploy/test_arm.py $(PYTEST_ARGS)

test_serving: $(SERVING_VENV)/installed  ## serve words by KServe, gRPC and TensorFlow's C++ loader, and compare them
	@deploy/needs.sh test_serving g++:g++ curl:curl
	$(SERVING_VENV)/bin/python -m pytest -q -m deploy tests/serving $(PYTEST_ARGS)

test_web: need_chromium $(DEV_VENV)/installed web build/web_test/float.tflite  ## test the page of deploy/web in Chromium
	cd deploy/web && npm run --silent check
	$(DEV_VENV)/bin/python deploy/web/tests/prepare.py build/web_test
	cd deploy/web && npm run --silent test

web: $(WEB_PACKAGES)  ## build the page that reads words in a browser into build/web (DETECTOR=FILE.tflite finds them, too)
	cd deploy/web && npm run --silent build -- $(if $(DETECTOR),--detector=$(abspath $(DETECTOR)))

# Material's banner about MkDocs 2 is no warning of ours.
docs: $(DOCS_VENV)/installed  ## build the documentation site into build/site; its notebooks are executed (minutes)
	NO_MKDOCS_2_WARNING=1 $(DOCS_VENV)/bin/mkdocs build --strict

# STEPS=measure,write and ONLY=reading,kinds do a part of it; CONTRIBUTING.md says more.
WORDS ?= data/tfrecords
DATA ?= ../shared/data
release_model: $(DEV_VENV)/installed  ## ship weights: export, measure, write every figure (minutes; MODEL=exported/weights/NAME)
	$(DEV_VENV)/bin/python tools/release_model.py --words=$(WORDS) --data=$(DATA) $(if $(MODEL),--model=$(MODEL)) \
		$(if $(STEPS),--steps=$(STEPS)) $(if $(ONLY),--only=$(ONLY)) $(RELEASE_ARGS)

check: $(DEV_VENV)/installed  ## lint, formatting and types
	$(DEV_VENV)/bin/ruff check .
	$(DEV_VENV)/bin/ruff format --check .
	$(DEV_VENV)/bin/mypy

format: $(DEV_VENV)/installed  ## put the code in the project's format
	$(DEV_VENV)/bin/ruff check --fix .
	$(DEV_VENV)/bin/ruff format .

clean:  ## remove the virtual environments and what the commands built
	rm -rf $(VENV) $(DEV_VENV) $(BEAM_VENV) $(SERVING_VENV) $(DOCS_VENV) $(NEWEST_VENV) deploy/web/node_modules build dist .mypy_cache .pytest_cache .ruff_cache *.egg-info

$(VENV)/installed: setup.cfg pyproject.toml
	$(call make_venv,$(VENV),.)

$(DEV_VENV)/installed: setup.cfg pyproject.toml
	$(call make_venv,$(DEV_VENV),.[dev])

$(BEAM_VENV)/installed: setup.cfg pyproject.toml
	$(call make_venv,$(BEAM_VENV),.[data$(comma)beam])

$(SERVING_VENV)/installed: setup.cfg pyproject.toml
	$(call make_venv,$(SERVING_VENV),.[kservetest])

$(DOCS_VENV)/installed: setup.cfg pyproject.toml
	$(call make_venv,$(DOCS_VENV),.[docs])

$(WEB_PACKAGES): deploy/web/package.json deploy/web/package-lock.json
	@node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)' || \
		{ echo "The page is built with Node.js 18 or newer and npm: apt-get install nodejs npm" >&2; exit 1; }
	cd deploy/web && npm ci --ignore-scripts --silent
	@touch $@

# Without the rounding of activations to 8 bits, the page must answer exactly what spin_tf answers; any weights do.
build/web_test/float.tflite: $(wildcard exported/weights/spin_latin/*) spin_tf/export/tflite.py | $(DEV_VENV)/installed
	@mkdir -p $(@D)
	$(DEV_VENV)/bin/python bin/export_tflite.py --model=exported/weights/spin_latin --output=$@ --quantization=none

# Asked for first: what comes before the tests takes a minute.
.PHONY: need_chromium
need_chromium:
	@command -v $(CHROMIUM) >/dev/null || \
		{ echo "The page is tested in Chromium: apt-get install chromium fonts-liberation, or make CHROMIUM=PATH" >&2; exit 1; }

# The stamp file comes last, so an install that was cut off is done again.
define make_venv
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	{ echo "spin_tf needs Python 3.11 or newer: make PYTHON=python3.12 ..." >&2; exit 1; }
$(PYTHON) -m venv $(1)
$(1)/bin/python -m pip install --quiet --disable-pip-version-check --editable "$(2)"
@touch $@
endef
