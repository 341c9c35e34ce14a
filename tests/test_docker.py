"""What images and compose files promise, as far as it shows without Docker; docker/test_image.sh goes on."""

from __future__ import annotations

import json
import re
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from service.settings import Settings

ROOT = Path(__file__).parents[1]
TWO = "docker/two-servers/compose.yml"
CLUSTER = "docker/cluster/compose.yml"
DOCKERFILE = (ROOT / "docker" / "Dockerfile").read_text()


class _ComposeLoader(yaml.SafeLoader):
    """YAML with Compose's `!reset`, which takes a value of an earlier file away."""


_ComposeLoader.add_constructor("!reset", lambda loader, node: None)


def _compose(name: str) -> dict[str, Any]:
    return yaml.load((ROOT / name).read_text(), _ComposeLoader)


@pytest.mark.parametrize("name", ["docker-compose.yml", "docker-compose.cpu.yml", TWO, CLUSTER])
def test_compose_files_follow_the_schema(name: str) -> None:
    schema = files("check_jsonschema").joinpath("builtin_schemas/vendor/compose-spec.json").read_text()
    document = _compose(name)
    jsonschema.validate(document, json.loads(schema))


def test_the_cpu_override_takes_the_gpu_away_from_every_tribank_service() -> None:
    services, override = (
        _compose(name)["services"] for name in ("docker-compose.yml", "docker-compose.cpu.yml")
    )
    ours = {name for name, service in services.items() if service["image"].startswith("tribank:")}
    assert ours == set(override) == {"tribank", "builder"}
    for name in ours:
        assert services[name]["deploy"]["resources"]["reservations"]["devices"]
        assert services[name]["read_only"]
        assert override[name]["deploy"] is None
        devices = [found[name]["environment"]["TRIBANK_DEVICE"] for found in (services, override)]
        assert devices == ["cuda", "cpu"]
        assert override[name]["build"]["target"] == "cpu"


def test_containers_are_bounded_and_stopped_no_earlier_than_the_server_stops() -> None:
    services = _compose("docker-compose.yml")["services"]
    for name, service in services.items():
        assert service["logging"]["options"].keys() == {"max-size", "max-file"}, name
    for name in ("tribank", "builder"):
        service = services[name]
        assert service["env_file"] == [{"path": "tribank.env", "required": False}]
        assert service["pids_limit"] > 0
        assert all("size=" in mount for mount in service["tmpfs"])
    settings = Settings()
    jobs, threads = 15, 20  # service/jobs/queue.py with builds.py; service/engine/owner.py
    longest = settings.deadline_s + settings.body_timeout_s + jobs + threads
    assert int(services["tribank"]["stop_grace_period"].removesuffix("s")) > longest


def test_two_servers_share_banks_and_no_state() -> None:
    services = _compose(TWO)["services"]
    named = re.findall(r"server (tribank-\d):8000", (ROOT / TWO).with_name("nginx.conf").read_text())
    assert named == services["front"]["depends_on"] == ["tribank-1", "tribank-2"]
    mounts = [services[name]["volumes"][:2] for name in named]
    assert mounts == [["banks:/banks", "state-1:/state"], ["banks:/banks", "state-2:/state"]]
    alone = _compose("docker-compose.yml")["services"]["tribank"]
    for fact in ("user", "read_only", "tmpfs", "pids_limit", "cap_drop", "security_opt", "stop_grace_period"):
        assert all(services[name][fact] == alone[fact] for name in named), fact


def test_mounted_configuration_is_in_the_repository() -> None:
    services = _compose("docker-compose.yml")["services"].values()
    sources = [
        volume.partition(":")[0] for service in services for volume in service["volumes"] if volume[0] == "."
    ]
    assert len(sources) == 4
    assert all((ROOT / source).is_dir() for source in sources)


def test_the_image_has_every_library_that_setup_looks_for() -> None:
    wanted = set(re.findall(r"\.so[.\d]*:([\w.-]+)", (ROOT / "scripts" / "setup").read_text()))
    install, run = re.findall(r"--no-install-recommends \\\n(.*?)\\\n", DOCKERFILE)
    assert len(wanted) == 5
    assert wanted <= set(run.split())
    assert set(run.split()) < set(install.split())


def test_the_image_runs_as_a_user_and_says_whether_it_is_ready() -> None:
    assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", DOCKERFILE, re.MULTILINE)
    assert re.search(r"^HEALTHCHECK .*\\\n    CMD \[.*readyz", DOCKERFILE, re.MULTILINE)
    assert json.loads(DOCKERFILE.rpartition("CMD")[2].partition("\n")[0]) == ["serve"]


@pytest.mark.parametrize("hardware", ["cpu", "gpu"])
def test_an_image_installs_the_pinned_versions_by_hash_and_nothing_of_a_desktop(hardware: str) -> None:
    lock = (ROOT / "constraints" / f"{hardware}.lock").read_text()
    listed = re.findall(r"^(\S+)==(\S+) \\\n    --hash=sha256:[0-9a-f]{64}\n", lock, re.M)
    assert lock.count("==") == len(listed) == len(dict(listed)), "each package once, with its hash"
    pinned = dict(
        line.split(";")[0].strip().split("==")
        for line in (ROOT / "constraints" / f"{hardware}.txt").read_text().splitlines()
        if line and not line.startswith("#")
    )
    pinned = {canonicalize_name(name): version for name, version in pinned.items()}
    locked = {canonicalize_name(name): version for name, version in listed}
    assert {name: pinned[name] for name in locked.keys() & pinned.keys()} == {
        name: locked[name] for name in locked.keys() & pinned.keys()
    }
    assert all(name.startswith(("cuda-", "nvidia-", "triton")) for name in locked.keys() - pinned.keys())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    of_images = [*extras[hardware], *extras["object-store"], *extras["postgresql"], *extras["telemetry"]]
    wanted = {canonicalize_name(Requirement(text).name) for text in [*project["dependencies"], *of_images]}
    own_index = {"torch", "torchvision"} if hardware == "cpu" else set[str]()
    assert wanted - own_index <= locked.keys()
    assert not own_index & locked.keys()
    assert not {"dash", "plotly", "ipywidgets", "pytest", "pip-audit"} & locked.keys()
