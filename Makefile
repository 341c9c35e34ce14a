# Every target sets up what it needs first. See README.md.
.PHONY: demo serve test lint setup clean

tribank := .venv/bin/tribank

setup:
	@scripts/setup

demo: setup  ## render demo parts, build a bank, score a good and a defective part over HTTP
	@$(tribank) demo --out out

serve: setup  ## the same, and keep the server running
	@$(tribank) demo --out out --serve

test: setup lint  ## lint, types, tests
	@.venv/bin/python -m pytest -q -n auto --dist loadfile

lint: setup
	@.venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/pyright
	@.venv/bin/hadolint docker/Dockerfile
	@.venv/bin/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml >/dev/null
	@.venv/bin/shellcheck --severity warning scripts/setup docker/*.sh .ci/run

clean:  ## forget the virtual environment and everything made
	rm -rf .venv out
