# `make app` sets everything up and serves the dashboard; `make test` sets everything up and runs the tests.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
export STREAMLIT_BROWSER_GATHER_USAGE_STATS := false

.PHONY: app test lint browser-test bench lock clean

app: .venv/app.done
	$(BIN)/python -m streamlit run app/main.py

# these need nobody; who opens a hub name in the app wants it fetched
test browser-test bench: export HF_HUB_OFFLINE ?= 1

test: .venv/dev.done
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n 2 # one thread a worker: more would wait for one another

lint: .venv/dev.done
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

browser-test: .venv/dev.done
	$(BIN)/python -m pytest -q tests/browser --reruns 2 # a browser on a busy machine may lose a click

bench: .venv/dev.done
	$(BIN)/python -m benchmarks # sizes of real checkpoints: ratios
	$(BIN)/python -m benchmarks.pages # the slider on every page, in a real browser

lock: .venv/bin/python
	$(BIN)/python .ci/lock.py # pins the newest versions that the requirements allow

clean:
	rm -rf .venv .uploads .cache

.venv/bin/python:
	$(PYTHON) -m venv .venv

# first what is the same file on every machine, by its checksum; then the rest, by its version
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
.venv/app.done: requirements.txt constraints.txt hashes.txt | .venv/bin/python
	$(PIP) --no-deps --require-hashes -r hashes.txt
	$(PIP) -r requirements.txt -c constraints.txt
	touch $@

.venv/dev.done: requirements-dev.txt hashes-dev.txt .venv/app.done
	$(PIP) --no-deps --require-hashes -r hashes-dev.txt
	$(PIP) -r requirements-dev.txt -c constraints.txt
	touch $@
