# `make app` sets everything up and serves the dashboard; `make test` sets everything up and runs the tests.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
export HF_HUB_OFFLINE ?= 1
export STREAMLIT_BROWSER_GATHER_USAGE_STATS := false

.PHONY: app test lint browser-test bench clean

app: .venv/app.done
	$(BIN)/python -m streamlit run app/main.py

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

clean:
	rm -rf .venv

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/app.done: requirements.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

.venv/dev.done: requirements.txt requirements-dev.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@ .venv/app.done
