# make demo   the first result: installs into .venv, generates data, trains a sweep
# make mlflow-server   an MLflow that a team shares, at 127.0.0.1:5000 (PORT=, BACKEND=postgresql://...)
# make test   all tests: quick ones, slow ones in two processes, then one by one those that company disturbs
# make test-fast   those without Jittor, Ray and MLflow, in under a minute
# make docs   the documentation in English and Chinese at build/site/index.html, which needs no network
# make bench  all benchmarks, beside rivals that it installs first; NAME=loading for one, see docs/performance.md
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
DEMO_DATA ?= data/VideoSenti
PORT ?= 5000
SITE ?= build/site
BACKEND ?=
NAME ?= all
QUICK := not rank and not ray and not mlflow and not cluster and not alone
PAIRED := (rank or ray or mlflow or cluster) and not alone
ALONE := alone

.PHONY: help install prepare demo mlflow-server test test-fast docs bench lint format clean

help:
	@sed -n 's/^# //p' Makefile

$(INSTALLED): pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "error: $(PYTHON) is not on PATH; try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 2; }
	@echo "Installing into $(VENV) (a few minutes the first time) ..."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,docs]'
	@touch $@

install: $(INSTALLED)

prepare: install
	$(BIN)/python -m jack_ray.prepare

demo: prepare
	@test -e $(DEMO_DATA) || $(BIN)/python -m jack_ray.data demo tsl $(DEMO_DATA)
	$(BIN)/python -m jack_ray.launch model=tsl_small sweep=lr data.root=$(DEMO_DATA)

mlflow-server: install
	$(BIN)/python -m jack_ray.mlflow_server port=$(PORT) $(if $(BACKEND),tracking.backend=$(BACKEND))

test: prepare
	$(BIN)/python -m pytest -n auto --dist loadfile -m "$(QUICK)"
	$(BIN)/python -m jack_ray.warm model=tsl_small cluster.ranks=2
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "$(PAIRED)"
	$(BIN)/python -m pytest -m "$(ALONE)"

test-fast: install
	$(BIN)/python -m pytest -n auto --dist loadfile -m "$(QUICK) and not repository and not long"

docs: install
	$(BIN)/python -m docs.site $(SITE)

bench: prepare
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[bench]'
	$(BIN)/python -m benchmarks $(NAME)

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache
