"""docker/prometheus and docker/grafana: what they ask for is what a real server tells."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from service.app import create_app
from service.settings import Settings
from service.watch.logs import make_logger
from tests.waiting import until

ROOT = Path(__file__).parents[1]
PROMETHEUS = ROOT / "docker" / "prometheus"
SCENARIOS = ("alerts_test.yml", "alerts_days_test.yml")
GRAFANA = ROOT / "docker" / "grafana"
DASHBOARD = json.loads((GRAFANA / "dashboards" / "tribank.json").read_text())
RULES = [
    rule
    for group in yaml.safe_load((PROMETHEUS / "alerts.yml").read_text())["groups"]
    for rule in group["rules"]
]
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
BY_PROMETHEUS = {"up"}


def _expressions() -> Iterator[str]:
    yield from (rule["expr"] for rule in RULES)
    for panel in PANELS:
        for target in panel["targets"]:
            yield _known(target["expr"])


def _known(expression: str) -> str:
    """A panel's expression without Grafana's variables."""
    for name, value in {"$__rate_interval": "1m", "$product": ".*", "$instance": ".*"}.items():
        expression = expression.replace(name, value)
    return expression


def _selectors(expression: Any) -> Iterator[Any]:
    """The series that a parsed expression reads."""
    if isinstance(expression, promql_parser.VectorSelector):
        yield expression
    for name in ("lhs", "rhs", "expr", "param", "vector_selector"):
        if (inner := getattr(expression, name, None)) is not None:
            yield from _selectors(inner)
    for inner in getattr(expression, "args", ()):
        yield from _selectors(inner)


@pytest.fixture(scope="module")
def told(
    small_banks: Path, small_product: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, set[str]]:
    """The names of the series that a server tells, with their labels where it has any yet."""
    good = small_product / "validation" / "good"
    state = tmp_path_factory.mktemp("state")
    settings = Settings(banks=small_banks, state=state, takts="biscuit:9", metric_labels="station")
    app = create_app(settings, logger=make_logger(StringIO()))
    with TestClient(app, base_url="http://127.0.0.1") as client:
        until(lambda: client.get("/readyz").status_code == 200, "a server that is ready")
        with (good / "rgb" / "000.png").open("rb") as rgb, (good / "xyz" / "000.tiff").open("rb") as xyz:
            scored = client.post(
                "/v1/products/biscuit/score?labels=station:7", files={"rgb": rgb, "xyz": xyz}
            )
        assert scored.status_code == 200
        text = client.get("/metrics").text
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(text):
        endings = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}
        for ending in endings.get(family.type, ()):
            found[family.name + ending] = set()
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


def test_every_series_that_is_asked_for_is_told(told: dict[str, set[str]]) -> None:
    read = 0
    for expression in _expressions():
        for selector in _selectors(promql_parser.parse(expression)):
            read += 1
            if selector.name in BY_PROMETHEUS:
                continue
            assert selector.name in told, expression
            asked = {matcher.name for matcher in selector.matchers.matchers} - {"job", "instance"}
            assert asked <= told[selector.name] or not told[selector.name], expression
    assert read > 50


def test_every_panel_shows_the_chosen_servers() -> None:
    for panel in PANELS:
        for target in panel["targets"]:
            for selector in _selectors(promql_parser.parse(_known(target["expr"]))):
                assert "instance" in {matcher.name for matcher in selector.matchers.matchers}, target["expr"]


def test_every_alert_fires_in_a_scenario_and_clears_in_it() -> None:
    """promtool runs the scenarios. Each one that raises an alert ends without any."""
    fired: set[str] = set()
    files = [yaml.safe_load((PROMETHEUS / name).read_text()) for name in SCENARIOS]
    for scenario in (scenario for file in files for scenario in file["tests"]):
        samples = [test["exp_samples"] for test in scenario["promql_expr_test"]]
        assert samples[-1] == [], scenario["name"]
        fired.update(re.findall(r'alertname="(\w+)"', str(samples)))
    assert fired == {rule["alert"] for rule in RULES}


def test_prometheus_reads_our_rules_from_the_job_that_they_name() -> None:
    config = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())
    assert all((PROMETHEUS / name).exists() for name in config["rule_files"])
    (job,) = config["scrape_configs"]
    assert job["job_name"] == "tribank"
    assert 'job="tribank"' in (PROMETHEUS / "alerts.yml").read_text()
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    (manager,) = config["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"]
    assert f"{services[manager.partition(':')[0]]['ports'][0]}".endswith(f":{manager.partition(':')[2]}")


def test_the_page_says_of_every_alert_what_to_do() -> None:
    page = (ROOT / "docs" / "monitoring.md").read_text()
    assert set(re.findall(r"^\| `(Tribank\w+)`", page, re.MULTILINE)) == {rule["alert"] for rule in RULES}


def test_the_dashboard_is_laid_out_and_reads_the_provisioned_source() -> None:
    (source,) = yaml.safe_load((GRAFANA / "provisioning" / "datasources" / "prometheus.yml").read_text())[
        "datasources"
    ]
    numbers = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(numbers)) == len(numbers)
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells
    for panel in PANELS:
        assert panel["description"]
        assert {target["datasource"]["uid"] for target in panel["targets"]} == {source["uid"]}
        references = [target["refId"] for target in panel["targets"]]
        assert len(set(references)) == len(references)


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "rules", "alerts.yml"],
        ["test", "rules", *SCENARIOS],
        ["check", "config", "--syntax-only", "prometheus.yml"],
    ],
    ids=lambda arguments: arguments[1],
)
def test_promtool_agrees(arguments: list[str]) -> None:
    done = _run("promtool", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr


def test_alertmanager_takes_our_file_and_the_examples_of_the_page(tmp_path: Path) -> None:
    ours = yaml.safe_load((ROOT / "docker" / "alertmanager" / "alertmanager.yml").read_text())
    page = (ROOT / "docs" / "monitoring.md").read_text()
    (example,) = (yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL))
    assert example["route"]["receiver"] == ours["route"]["receiver"]
    muted = {route["matchers"][0] for route in example["route"]["routes"] if "mute_time_intervals" in route}
    assert muted == {'alertname="TribankNoParts"'}
    for name, content in (("ours", ours), ("example", ours | example)):
        (tmp_path / f"{name}.yml").write_text(yaml.safe_dump(content))
    done = _run("amtool", "check-config", str(tmp_path / "ours.yml"), str(tmp_path / "example.yml"))
    assert done.returncode == 0, done.stdout + done.stderr


def _run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a program that `make programs` brings, or skip the test."""
    found = shutil.which(program) or shutil.which(program, path=Path(sys.executable).parent)
    if found is None:
        pytest.skip(f"{program} is not here")
    return subprocess.run([found, *arguments], cwd=PROMETHEUS, capture_output=True, text=True)
