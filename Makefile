# Two commands: `make demo` makes a video, `make test` passes the tests. Both set up .venv by themselves.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Pip's own upgrade notice says nothing about vidgend.
# (PIP_USE_PEP517: two small packages come as source only; this builds them the modern way.)
PIP := PIP_USE_PEP517=1 $(BIN)/python -m pip --disable-pip-version-check
# Some images set it. Every daemon and child that is started would compile all modules anew: a second each.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test check conformance bench bench-http bench-relevance bench-speech test-contract test-long install lock clean

demo: $(VENV)/.installed
	$(BIN)/vidgend --data-dir .demo generate "A beautiful sunset over the ocean with waves crashing on the beach" \
	  --local --force --duration 16 --resolution 1280x720 -o demo.mp4

install: $(VENV)/.installed

# Two at a time, by file; those that start daemons and watch the clock not beside those that only compute.
test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --ignore tests/process --ignore tests/openapi --ignore tests/store/test_recovery.py
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder tests/process tests/openapi tests/store/test_recovery.py

check: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The official suite of the Model Context Protocol, both revisions; needs npm.
conformance: $(VENV)/.installed-dev
	$(BIN)/python tests/mcp/conformance.py

# Ratios measured in one run on this machine; see bench/README.md.
bench: $(VENV)/.installed-dev
	$(BIN)/python -m bench

# How often the chosen clip fits, over labelled scenes; with the model where it is installed.
bench-relevance: $(VENV)/.installed-dev
	$(BIN)/python -m bench relevance

# The API under load while two videos are rendered; needs `hey` (apt install hey).
bench-http: $(VENV)/.installed-dev
	$(BIN)/python -m bench http

# Thousands of requests, good and bad, against a real daemon: does it do what its OpenAPI document says? Ten minutes.
test-contract: $(VENV)/.installed-dev
	$(BIN)/python tests/openapi/contract.py --cases 5000

# The suites with faults at length: an hour or so.
test-long: $(VENV)/.installed-dev
	KILLS=500 TEST_STOPS=100 LONG_TESTS=1 $(BIN)/python -m pytest --timeout 7200 tests/process tests/store \
	  tests/test_languages_end_to_end.py tests/test_sentences_end_to_end.py tests/browser tests/pipeline

# The voices and the sources of word times: speed, memory, errors. Another 60 MB of packages for the small voice.
bench-speech: $(VENV)/.installed-models
	$(BIN)/python -m bench speech

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "vidgend needs Python 3.11 or newer; set PYTHON=python3.11 or so" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "Python's venv module is missing; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.lock requirements-relevance.txt pyproject.toml | $(VENV)/bin/python
	$(PIP) install --quiet --require-hashes --requirement requirements.lock
	$(PIP) install --quiet --no-deps --require-hashes --requirement requirements-relevance.txt
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	$(PIP) install --quiet --require-hashes --requirement requirements-dev.lock
	touch $@

$(VENV)/.installed-models: $(VENV)/.installed-dev
	$(PIP) install --quiet --editable '.[align-offline,align-forced,light]'
	touch $@

# For maintainers, after a change of the dependencies; needs uv.
lock:
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --no-emit-index-url pyproject.toml requirements-build.in -o requirements.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --no-emit-index-url --group dev pyproject.toml requirements-build.in -o requirements-dev.lock

clean:
	rm -rf $(VENV) .demo .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
