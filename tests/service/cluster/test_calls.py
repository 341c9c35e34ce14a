from __future__ import annotations

import inspect
import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from service.cluster.calls import Calls, NoAnswer, NoCluster, ScorerGone, check_reachable
from service.exit_status import EXIT_UNABLE
from tests.faults.warm import Warm
from tests.service.cluster.kept import ScorersHere


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of Ray's own use of pydantic
def test_scorers_in_this_process_take_the_calls_of_a_cluster() -> None:
    """What the tests use takes the same arguments as the protocol, and so does Ray's client."""
    from service.cluster.deployment import RayCalls

    for name, method in inspect.getmembers(Calls, inspect.isfunction):
        if name.startswith("_"):
            continue
        wanted = list(inspect.signature(method).parameters)
        assert list(inspect.signature(getattr(ScorersHere, name)).parameters) == wanted, name
        assert list(inspect.signature(getattr(RayCalls, name)).parameters) == wanted, name


class _Silent:
    """A scorer's handle, and a call to it that is not answered."""

    cancelled = 0

    @property
    def load(self) -> _Silent:
        return self

    def remote(self, *_: object) -> _Silent:
        return self

    def result(self, timeout_s: float) -> None:
        raise TimeoutError

    def cancel(self) -> None:
        self.cancelled += 1


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_call_that_is_late_is_not_one_to_a_scorer_that_is_gone() -> None:
    from service.cluster.deployment import RayCalls

    calls, silent = RayCalls.__new__(RayCalls), _Silent()  # it has joined no cluster
    calls._handles = {"0": silent}  # type: ignore[dict-item]
    with pytest.raises(NoAnswer):
        calls.load("0", "biscuit", "v1", gone=lambda: False, within_s=0.0)
    with pytest.raises(ScorerGone) as gone:
        calls.load("0", "biscuit", "v1", gone=lambda: True, within_s=0.0)
    assert not isinstance(gone.value, NoAnswer)
    assert silent.cancelled == 2


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_whoever_starts_more_scorers_than_fit_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """They would start once another node comes: the command waits, and must say for what."""
    from service.cluster import deployment

    sizes = [{"CPU": 5.0, "memory": 1e9}, {"CPU": 4.0, "GPU": 1.0}, {"memory": 1e9}]
    nodes = [{"Alive": True, "Resources": size} for size in sizes]
    nodes.append({"Alive": False, "Resources": {"CPU": 64.0, "GPU": 8.0}})
    monkeypatch.setattr(deployment.ray, "nodes", lambda: nodes)
    for name in ("join", "leave"):
        monkeypatch.setattr(deployment, name, lambda *_: None)
    plans: list[deployment.Plan] = []
    monkeypatch.setattr(deployment, "start_scorers", plans.append)
    words = ["cluster", "start", "--cpus", "2", "--banks", str(tmp_path), "--cache", "copies"]
    for device, scorers, room in (("cpu", 4, None), ("cpu", 5, "4 of 5"), ("cuda", 2, "1 of 2")):
        monkeypatch.setattr("cli.cluster.chosen_device", lambda device: device)
        told = CliRunner().invoke(app, [*words, "--device", device, "--scorers", str(scorers)])
        assert told.exit_code == 0, told.output
        assert room in told.stderr if room else not told.stderr
    assert all(Path(plan.given["cache"]).is_absolute() for plan in plans), "nodes run in other folders"


def test_a_front_without_its_cluster_ends_at_once_and_may_be_started_again(
    warm: Warm, free_port: int, tmp_path: Path
) -> None:
    """Exit status 70, not 2: the head may come later."""
    address = f"127.0.0.1:{free_port}"
    words = ["serve", "--banks", str(tmp_path), "--state", str(tmp_path / "state"), "--port", "0"]
    server = warm.start(words, tmp_path / "said", {"TRIBANK_CLUSTER": address})
    assert server.wait(60) == EXIT_UNABLE
    assert address in (tmp_path / "said").read_text()


def test_only_an_address_with_a_port_is_looked_at(free_port: int) -> None:
    check_reachable("auto")
    for address in (f"127.0.0.1:{free_port}", "127.0.0.1:99999"):
        with pytest.raises(NoCluster):
            check_reachable(address)
    with socket.create_server(("127.0.0.1", free_port)):
        check_reachable(f"127.0.0.1:{free_port}")
