# One command for everything that a change must pass; .ci/run does the same on a clean machine.
.PHONY: check format test bench

check:
	ruff format --check .
	ruff check .
	mypy
	lint-imports
	pytest

format:
	ruff format .
	ruff check --fix .

test:
	pytest

bench:
	python -m benchmarks all
	python -m benchmarks.table
