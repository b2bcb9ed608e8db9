# One command for everything that a change must pass; .ci/run does the same on a clean machine.
.PHONY: check format test coverage bench docs

check:
	ruff format --check .
	ruff check .
	mypy
	lint-imports
	pytest -n 2 --dist loadfile

format:
	ruff format .
	ruff check --fix .

test:
	pytest -n 2 --dist loadfile

# Branches that the fast suite without the browser passes; half as slow again as the suite alone.
coverage:
	pytest -n 2 --dist loadfile -m "not slow and not gpu and not browser" --cov --cov-report=term:skip-covered

bench:
	python -m benchmarks all
	python -m benchmarks.table

docs:
	mkdocs build --strict
