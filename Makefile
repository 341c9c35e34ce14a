# Every target sets up what it needs first. See README.md.
.PHONY: demo serve cluster-demo console kernels browser csharp postgresql programs test faults lint style setup clean

tribank := .venv/bin/tribank

setup:
	@scripts/setup

demo: setup  ## render demo parts, build a bank, score a good and a defective part over HTTP
	@$(tribank) demo --out out

serve: setup  ## the same, and keep the server running
	@$(tribank) demo --out out --serve

cluster-demo: setup  ## a small cluster on this computer: a front, two scorers, one of which is killed (docs/cluster.md)
	@.venv/bin/python -m scripts.cluster_demo

console: ## build the page for people again (needs Node 20 or newer)
	@cd service/console && npm ci --no-audit --no-fund && npm run build && \
	    sha256sum index.html package-lock.json tsconfig.json vite.config.js src/* page/* >built.sha256

kernels: setup  ## translate the compiled functions again (*_kernels.py)
	@.venv/bin/python scripts/kernels.py

browser:
	@command -v chromium >/dev/null || { [ "$$(id -u)" = 0 ] && apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null; } \
	    || echo "No Chromium: the tests of the page will be skipped. Install it: sudo apt-get install chromium" >&2

csharp:
	@command -v mcs >/dev/null || { [ "$$(id -u)" = 0 ] && apt-get update -qq && apt-get install -y -qq --no-install-recommends mono-mcs libmono-system-net-http4.0-cil >/dev/null; } \
	    || echo "No C# compiler: the test of the C# program in the documents will be skipped. Install it: sudo apt-get install mono-mcs libmono-system-net-http4.0-cil" >&2

postgresql:
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || { [ "$$(id -u)" = 0 ] && mkdir -p /etc/postgresql-common && \
	    echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf && apt-get update -qq && \
	    apt-get install -y -qq --no-install-recommends postgresql >/dev/null; } \
	    || echo "No PostgreSQL: the tests of records in a database will be skipped. Install it: sudo apt-get install postgresql" >&2

programs: setup  ## what tests run beside the service: promtool and amtool for the alerts, nginx and Caddy in front of the server
	@scripts/from_debian prometheus /usr/bin/promtool
	@scripts/from_debian prometheus-alertmanager /usr/bin/amtool
	@scripts/from_debian nginx /usr/sbin/nginx
	@scripts/from_debian caddy /usr/bin/caddy

# One worker more than cores: many tests wait for a server. Types are checked beside the tests, as pyright takes
# one core for a minute; what pyright says comes at the end. MALLOC_...: processes keep freed memory. Giving each
# large array back to the kernel costs the networks a fifth of their time. PYTHONDONTWRITEBYTECODE: a module is
# compiled once, and not at every start of a process, whatever the environment says.
test: setup browser csharp postgresql programs style  ## lint, types, tests
	@told=$$(mktemp); .venv/bin/pyright >"$$told" 2>&1 & types=$$!; \
	    PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=17179869184 \
	    .venv/bin/python -m pytest -q -n $$(($$(nproc) + 1)) --dist loadfile --no-loadscope-reorder; tests=$$?; \
	    wait $$types; types=$$?; cat "$$told"; rm "$$told"; [ $$tests = 0 ] && [ $$types = 0 ]

# FAULTS="--resume --markdown docs/reliability.md" goes on with what a stopped run left, and writes the table down;
# CASES="flips kills" runs these, FAULTS="--count flips=500" fewer of them. All of them: about an hour and a quarter.
faults: setup  ## a real server and the real command line, and what goes wrong around them (docs/reliability.md)
	@.venv/bin/python -m tests.faults $(FAULTS) $(CASES)

lint: style
	@.venv/bin/pyright

audit:  ## known holes of the images' packages, as PyPI tells them (needs the internet)
	@[ -x out/audit/bin/pip-audit ] || { python3 -m venv out/audit && out/audit/bin/python -m pip install --quiet pip-audit==2.10.1; }
	@for lock in constraints/*.lock; do echo "$$lock" >&2; out/audit/bin/pip-audit -r "$$lock" --no-deps --disable-pip || exit 1; done

style: setup
	@.venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/lint-imports --no-logo --no-cache
	@.venv/bin/hadolint docker/Dockerfile
	@.venv/bin/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml docker/two-servers/compose.yml docker/cluster/compose.yml >/dev/null
	@.venv/bin/shellcheck --severity warning scripts/setup scripts/from_debian docker/*.sh .ci/run

clean:  ## forget the virtual environment and everything made
	rm -rf .venv out
