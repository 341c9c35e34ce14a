"""docker/cluster: what the compose file and the manifests for KubeRay promise, as far as it shows here.

The standard objects and all pod templates are compared with Kubernetes' own schemas, strictly. Ray's own
schema reads the applications, and `service.cluster.deployment` makes them.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import warnings
from importlib.metadata import requires
from pathlib import Path
from typing import Any, cast

import kubernetes_validate
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from cli.main import app
from service.cluster.scorer import ScorerSettings
from service.settings import Settings
from tests.test_docker import CLUSTER as COMPOSE_FILE
from tests.test_docker import DOCKERFILE, _compose

ROOT = Path(__file__).parents[1]
COMPOSE = _compose(COMPOSE_FILE)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
NODES = ("head", "scorer-1", "scorer-2", "front")
KUBERAY = ROOT / "docker" / "cluster" / "kuberay"
KUBERNETES = "1.34"
OBJECTS: list[dict[str, Any]] = [
    document
    for name in ("volumes", "network", "rayservice", "front")
    for document in yaml.safe_load_all((KUBERAY / f"{name}.yml").read_text())
]
RAY: dict[str, Any] = next(one for one in OBJECTS if one["kind"] == "RayService")["spec"]
CLUSTER: dict[str, Any] = RAY["rayClusterConfig"]
GROUPS: dict[str, dict[str, Any]] = {
    "head": CLUSTER["headGroupSpec"],
    **{group["groupName"]: group for group in CLUSTER["workerGroupSpecs"]},
}
SETTINGS = {f"TRIBANK_{name.upper()}" for name in Settings.model_fields}


def _of(kind: str) -> dict[str, dict[str, Any]]:
    """The objects of a kind, by name."""
    return {one["metadata"]["name"]: one["spec"] for one in OBJECTS if one["kind"] == kind}


def _labels(group: str) -> dict[str, str]:
    return GROUPS[group]["template"]["metadata"]["labels"]


def _pods(selector: dict[str, str]) -> set[str]:
    """The groups whose pods have these labels."""
    return {name for name in GROUPS if selector.items() <= _labels(name).items()}


def _ray_options() -> set[str]:
    """The options of `ray start`."""
    ray = Path(sys.executable).with_name("ray")
    said = subprocess.run([ray, "start", "--help"], check=True, stdout=subprocess.PIPE, text=True).stdout
    return set(re.findall(r"--[a-z-]+", said))


def test_only_the_front_is_reached_from_outside() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["front"]
    assert SERVICES["front"]["ports"] == ["${TRIBANK_PUBLISH:-127.0.0.1:8000}:8000"]
    inside = {name for name, network in COMPOSE["networks"].items() if network and network["internal"]}
    assert inside == {"ray", "records", "store"}
    for name, service in SERVICES.items():
        assert name == "front" or set(service["networks"]) <= inside, name
        assert ("ray" in service["networks"]) == (name in NODES), name


def test_every_container_is_bounded_and_may_do_little() -> None:
    for name, service in SERVICES.items():
        assert service["logging"]["options"].keys() == {"max-size", "max-file"}, name
        assert service["read_only"], name
        assert (service["cap_drop"], service["restart"]) == (["ALL"], "unless-stopped"), name
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert "mem_limit" in service, name
        assert service["healthcheck"], name
        assert all("size=" in mount for mount in service["tmpfs"]), name
    alone = _compose("docker-compose.yml")["services"]["tribank"]
    assert SERVICES["front"]["stop_grace_period"] == alone["stop_grace_period"]


def test_nodes_have_one_image_one_token_and_shared_memory() -> None:
    for name in NODES:
        service = SERVICES[name]
        assert service["image"] == "tribank:${TRIBANK_HARDWARE:-cpu}-cluster"
        assert service["build"]["args"] == {"WITH": "cluster"}
        assert service["user"] == "10001:10001"
        assert service["shm_size"] == "1g"
        environment = service["environment"]
        assert environment["RAY_AUTH_MODE"] == "token"
        assert environment["RAY_AUTH_TOKEN_PATH"] == "/run/secrets/ray_token"
        assert "ray_token" in service["secrets"]
        assert {key for key in environment if key.startswith("TRIBANK_")} <= SETTINGS, name
    assert set(COMPOSE["secrets"]) == {name for one in SERVICES.values() for name in one.get("secrets", ())}
    banks = {name: SERVICES[name]["volumes"][0] for name in NODES[1:]}
    assert banks == {"scorer-1": "banks:/banks:ro", "scorer-2": "banks:/banks:ro", "front": "banks:/banks"}


def test_commands_have_options_that_exist() -> None:
    lines = {name: " ".join([*SERVICES[name]["entrypoint"], *SERVICES[name]["command"]]) for name in NODES}
    options = _ray_options()
    for name, line in lines.items():
        words = line.partition("ray start")[2].partition("tribank")[0]
        used = set(re.findall(r"--[a-z-]+", words))
        assert used, name
        assert used <= options, name
        assert ("--head" in used) == (name == "head")
        assert ("--num-cpus=0" in words) == (name in ("head", "front"))
    from typer.testing import CliRunner

    typed = re.search(r"tribank (cluster start) (.*)", lines["front"])
    assert typed
    said = CliRunner().invoke(app, [*typed[1].split(), "--help"], env={"COLUMNS": "200"}).output
    assert set(re.findall(r"--[a-z-]+", typed[2])) <= set(re.findall(r"--[a-z-]+", said))
    assert "--scorers 2 " in typed[2]
    assert lines["front"].rstrip().endswith("exec tribank serve")


def test_the_lock_of_a_cluster_completes_both_images() -> None:
    assert DOCKERFILE.count("ARG WITH=\n") == DOCKERFILE.count("TRIBANK_WITH=$WITH") == 2
    lock = (ROOT / "constraints" / "cluster.lock").read_text()
    listed = dict(re.findall(r"^(\S+)==(\S+) \\\n    --hash=sha256:[0-9a-f]{64}\n", lock, re.M))
    assert lock.count("==") == len(listed), "each package once, with its hash"
    for hardware in ("cpu", "gpu"):
        text = (ROOT / "constraints" / f"{hardware}.lock").read_text()
        image = dict(re.findall(r"^(\S+)==(\S+) ", text, re.M))
        pins = dict(
            re.findall(r"^([^#\s]+)==(\S+)", (ROOT / "constraints" / f"{hardware}.txt").read_text(), re.M)
        )
        pinned = {canonicalize_name(name): version for name, version in pins.items()}
        assert {name: pinned[name] for name in listed} == listed
        assert {name: image[name] for name in listed.keys() & image} == {
            name: listed[name] for name in listed.keys() & image
        }
        wanted = {
            canonicalize_name(one.name)
            for one in map(Requirement, requires("ray") or ())
            if one.marker is None or one.marker.evaluate({"extra": "serve"})
        }
        assert wanted <= listed.keys() | image.keys()


@pytest.mark.parametrize("document", OBJECTS, ids=lambda one: f"{one['kind']}-{one['metadata']['name']}")
def test_objects_follow_the_schemas(document: dict[str, Any]) -> None:
    if document["kind"] != "RayService":
        kubernetes_validate.validate(document, KUBERNETES, strict=True)
        return
    # The fields of KubeRay's own kind; its pods are those of Kubernetes.
    assert RAY.keys() == {"serveConfigV2", "rayClusterConfig"}
    assert CLUSTER.keys() == {"rayVersion", "authOptions", "headGroupSpec", "workerGroupSpecs"}
    assert CLUSTER["authOptions"].keys() == {"mode", "secretName"}
    for name, group in GROUPS.items():
        counted = set() if name == "head" else {"groupName", "replicas", "minReplicas", "maxReplicas"}
        assert group.keys() == {"rayStartParams", "template"} | counted
        spec = {"selector": {"matchLabels": _labels(name)}, "template": group["template"]}
        wrapped = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}
        kubernetes_validate.validate(wrapped, KUBERNETES, strict=True)


def test_applications_are_scorers_that_the_pods_have_room_for() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Ray's own, at import
        from ray.serve.schema import ServeDeploySchema

        from models.numerics.process import SLEEPING
        from service.cluster import deployment

    config = ServeDeploySchema.model_validate(yaml.safe_load(RAY["serveConfigV2"]))
    assert config.proxy_location.value == "Disabled"
    scorers = GROUPS["scorers"]
    names = [deployment._name(number) for number in range(scorers["replicas"])]
    assert [one.name for one in config.applications] == names
    assert scorers["minReplicas"] == scorers["maxReplicas"] == scorers["replicas"]
    for one in config.applications:
        assert (one.import_path, one.route_prefix) == ("service.cluster.deployment:application", None)
        made = deployment.application(one.args)._bound_deployment
        given, cpus = cast(Any, made.init_args)
        assert ScorerSettings.of(given).device == "cuda"
        options = made.ray_actor_options
        # Serve loads NumPy before a scorer could say how threads wait.
        waits = {"env_vars": {name: os.environ.get(name, value) for name, value in SLEEPING.items()}}
        assert options == {"num_cpus": cpus, "num_gpus": 1.0, "runtime_env": waits}
        assert scorers["rayStartParams"]["num-cpus"] == str(cpus)
        container = scorers["template"]["spec"]["containers"][0]
        assert container["resources"]["requests"]["cpu"] == str(cpus)
        assert (
            container["resources"]["limits"]["nvidia.com/gpu"] == scorers["rayStartParams"]["num-gpus"] == "1"
        )
        mounts = {mount["mountPath"]: mount for mount in container["volumeMounts"]}
        assert mounts[given["banks"]]["readOnly"]
        assert mounts[given["weights"]]["readOnly"]
    for name in ("head", "fronts"):
        assert GROUPS[name]["rayStartParams"]["num-cpus"] == "0", "no scorer runs here"


def test_what_pods_name_is_there() -> None:
    kustomization = yaml.safe_load((KUBERAY / "kustomization.yml").read_text())
    assert sorted(kustomization["resources"]) == sorted(
        path.name for path in KUBERAY.glob("*.yml") if path.name != "kustomization.yml"
    )
    secrets = {
        one["name"]: {Path(file).name for file in one["files"]} for one in kustomization["secretGenerator"]
    }
    assert CLUSTER["authOptions"] == {"mode": "token", "secretName": "tribank-ray"}
    assert secrets["tribank-ray"] == {"auth_token"}, "the name that KubeRay reads"
    pins = (ROOT / "constraints" / "gpu.txt").read_text()
    assert f"\nray=={CLUSTER['rayVersion']}\n" in pins
    claims = _of("PersistentVolumeClaim")
    assert all(claim["accessModes"] == ["ReadWriteMany"] for claim in claims.values())
    options = _ray_options()
    for name, group in GROUPS.items():
        assert {f"--{option}" for option in group["rayStartParams"]} <= options
        spec = group["template"]["spec"]
        assert spec["securityContext"]["runAsNonRoot"]
        volumes = {volume["name"]: volume for volume in spec["volumes"]}
        for volume in volumes.values():
            if "persistentVolumeClaim" in volume:
                assert volume["persistentVolumeClaim"]["claimName"] in claims
            if "secret" in volume:
                assert volume["secret"]["secretName"] in secrets
        for container in spec["containers"]:
            assert container["image"] == "tribank:gpu-cluster"
            limits = container["securityContext"]
            assert (limits["readOnlyRootFilesystem"], limits["allowPrivilegeEscalation"]) == (True, False)
            assert limits["capabilities"] == {"drop": ["ALL"]}
            assert container["resources"]["limits"]["memory"] == container["resources"]["requests"]["memory"]
            assert {mount["name"] for mount in container["volumeMounts"]} <= volumes.keys(), name
            environment = {one["name"]: one for one in container["env"]}
            assert {key for key in environment if key.startswith("TRIBANK_")} <= SETTINGS
            for one in environment.values():
                if "valueFrom" in one:
                    reference = one["valueFrom"]["secretKeyRef"]
                    assert reference["key"] in secrets[reference["name"]]


def test_the_front_is_reached_and_nothing_else() -> None:
    service = _of("Service")["tribank-front"]
    assert _pods(service["selector"]) == {"fronts"}
    pod = GROUPS["fronts"]["template"]["spec"]
    front = pod["containers"][1]
    assert pod["shareProcessNamespace"], "Ray's client looks for its node among the processes"
    ports = {port["name"]: port["containerPort"] for port in front["ports"]}
    assert ports[service["ports"][0]["targetPort"]] == 8000
    assert {front[f"{kind}Probe"]["httpGet"]["port"] for kind in ("startup", "liveness", "readiness")} == {
        "http"
    }
    assert front["readinessProbe"]["httpGet"]["path"] == "/readyz"
    budgets = _of("PodDisruptionBudget")
    assert {name: _pods(one["selector"]["matchLabels"]) for name, one in budgets.items()} == {
        "tribank-fronts": {"fronts"},
        "tribank-scorers": {"scorers"},
    }
    policies = _of("NetworkPolicy")
    reached = {name: _pods(one["podSelector"]["matchLabels"]) for name, one in policies.items()}
    assert reached == {
        "tribank-inside": set(GROUPS),
        "tribank-front": {"fronts"},
        "tribank-operator": {"head"},
    }
    (inside,) = policies["tribank-inside"]["ingress"]
    assert _pods(inside["from"][0]["podSelector"]["matchLabels"]) == set(GROUPS)
    assert "namespaceSelector" not in inside["from"][0], "of this namespace only"
    assert policies["tribank-front"]["ingress"] == [{"ports": [{"protocol": "TCP", "port": 8000}]}]


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="needs kubectl")
def test_kubectl_puts_the_manifests_together(tmp_path: Path) -> None:
    folder = tmp_path / "kuberay"
    shutil.copytree(KUBERAY, folder)
    (folder / "secrets").mkdir(exist_ok=True)
    for name in ("auth_token", "uri", "keys.json", "keys.made"):
        (folder / "secrets" / name).write_text("x")
    said = subprocess.run(["kubectl", "kustomize", folder], check=True, stdout=subprocess.PIPE, text=True)
    made = list(yaml.safe_load_all(said.stdout))
    assert len(made) == len(OBJECTS) + 3
    assert {one["metadata"]["namespace"] for one in made} == {"tribank"}
    names = {one["metadata"]["name"] for one in made if one["kind"] == "Secret"}
    assert names == {"tribank-ray", "tribank-database", "tribank-keys"}
