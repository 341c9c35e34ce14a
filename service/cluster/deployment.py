"""Scorers as deployments of Ray Serve: one application and one process a scorer, and the calls of a front.

Only this module and `service.cluster.builds` import Ray. It imports nothing that computes: a scorer's process
has to decide about threads and kernels before those libraries load.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

TOKEN_FILE = Path.home() / ".ray" / "auth_token"
"""Where `ray start` keeps the token that nodes and clients of a cluster share, unless a variable says it."""
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is told to anybody
if TOKEN_FILE.exists() or not {"RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"}.isdisjoint(os.environ):
    os.environ.setdefault("RAY_AUTH_MODE", "token")  # Ray reads it when it loads; nodes expect the token

import ray
from ray import serve
from ray.exceptions import RayError, RayTaskError
from ray.serve.exceptions import RayServeException
from ray.serve.handle import DeploymentHandle, DeploymentResponse

from models.libraries import importing
from models.numerics.process import SLEEPING, prepare_process
from service.cluster.calls import NoAnswer, NoCluster, ScorerGone, check_reachable

# ruff: noqa: E402

if TYPE_CHECKING:
    from service.cluster.scorer import Reply
    from service.cluster.wire import Message

NAMESPACE = "tribank"
_PREFIX = "tribank-scorer-"
_AT_ONCE = 64  # calls that a scorer takes at once; its engine refuses parts long before
_GONE_S = 0.5  # how soon a call to a scorer that is gone ends


@dataclass(frozen=True, slots=True)
class Plan:
    """The scorers that are to run.

    scorers: their number, one a device.
    cpus, gpus: of a node, for each scorer. cpus is also its number of threads.
    given: `service.cluster.scorer.ScorerSettings.plain`.
    """

    scorers: int
    cpus: int
    gpus: float
    given: Mapping[str, Any]


class ScorerReplica:
    """The process of a scorer."""

    def __init__(self, given: Mapping[str, Any], cpus: int) -> None:
        os.environ["OMP_NUM_THREADS"] = str(cpus)  # Ray sets another number
        prepare_process(searches=True)
        with importing():
            from service.cluster.scorer import Scorer, ScorerSettings
            from service.watch.logs import make_logger

        self._scorer = Scorer(ScorerSettings.of(given), make_logger(sys.stderr))

    def check_health(self) -> None:
        """Serve starts a scorer again that raises here, or does not answer."""
        if not self._scorer.alive():
            raise RuntimeError("scoring has stopped")

    async def facts(self) -> Reply:
        """See `Scorer.facts`."""
        return self._scorer.facts()

    async def load(self, product: str, version: str) -> Reply:
        """See `Scorer.load`."""
        return await self._scorer.load(product, version)

    async def score(self, ask: Mapping[str, Any], part: Message, within_s: float) -> Reply:
        """See `Scorer.score`."""
        return await self._scorer.score(ask, part, within_s)


_DEPLOYMENT = serve.deployment(
    num_replicas=1,
    max_ongoing_requests=_AT_ONCE,
    health_check_period_s=2,
    health_check_timeout_s=10,
    graceful_shutdown_timeout_s=60,
)(ScorerReplica)


def application(given: Mapping[str, Any]) -> serve.Application:
    """One scorer, as Serve's own configuration files name it: `service.cluster.deployment:application`.

    given: `ScorerSettings.plain`, and cpus and gpus as in `Plan`.
    """
    fields = dict(given)
    cpus, gpus = int(fields.pop("cpus", 1)), float(fields.pop("gpus", 0))
    # Serve's processes load NumPy before any code of ours: what it reads then has to be there.
    waits = {name: os.environ.get(name, value) for name, value in SLEEPING.items()}
    options = {"num_cpus": cpus, "num_gpus": gpus, "runtime_env": {"env_vars": waits}}
    return _DEPLOYMENT.options(name="scorer", ray_actor_options=options).bind(fields, cpus)


def join(address: str) -> None:
    """Join the cluster at this address, as a client of it on this computer. Raises NoCluster."""
    check_reachable(address)  # Ray itself would wait for ever
    try:
        ray.init(
            address=address,
            namespace=NAMESPACE,
            ignore_reinit_error=True,
            log_to_driver=False,
            configure_logging=False,
        )
    except (ConnectionError, RayError, RuntimeError, ValueError) as error:
        raise NoCluster(
            f"No Ray cluster answers at {address}: {error}. This computer must be a node of the cluster: "
            "start one with 'ray start --head', or join one with 'ray start --address=HOST:6379'. All nodes "
            "need the token of the cluster (RAY_AUTH_TOKEN, or ~/.ray/auth_token)."
        ) from None
    logging.getLogger("ray.serve").setLevel(logging.ERROR)


def leave() -> None:
    """Leave the cluster. The scorers go on."""
    ray.shutdown()


def room_for(plan: Plan) -> int:
    """How many scorers of this plan the nodes have room for, without what runs on them now."""
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    needs = {name: amount for name, amount in (("CPU", plan.cpus), ("GPU", plan.gpus)) if amount}
    return sum(min(int(node.get(name, 0) // amount) for name, amount in needs.items()) for node in nodes)


def start_scorers(plan: Plan) -> None:
    """Bring the scorers of the cluster to this plan, and wait until they run. Raises NoCluster."""
    serve.start(http_options={"location": "NoServer"})
    for name in sorted(set(scorer_names()).difference(_name(number) for number in range(plan.scorers))):
        serve.delete(name)
    given = {**plan.given, "cpus": plan.cpus, "gpus": plan.gpus}
    targets = [
        serve.RunTarget(target=application(given), name=_name(number), route_prefix=None)
        for number in range(plan.scorers)
    ]
    serve.run_many(targets, wait_for_applications_running=True)


def stop_scorers() -> None:
    """Stop all scorers and Serve. The cluster goes on."""
    serve.shutdown()


def scorer_states() -> dict[str, str]:
    """What Serve says of each scorer, by name: RUNNING, DEPLOYING, UNHEALTHY. Raises NoCluster."""
    try:
        applications = serve.status().applications
    except (RayError, RayServeException, RuntimeError) as error:
        raise NoCluster(f"Serve does not answer: {error}") from None
    return {
        name.removeprefix(_PREFIX): str(one.status.value)
        for name, one in applications.items()
        if name.startswith(_PREFIX)
    }


def scorer_names() -> list[str]:
    """Serve's applications that are scorers. Raises NoCluster."""
    return [f"{_PREFIX}{short}" for short in scorer_states()]


def _name(number: int) -> str:
    return f"{_PREFIX}{number}"


class RayCalls:
    """The calls of a front, as in `service.cluster.calls.Calls`."""

    def __init__(self, address: str) -> None:
        """Join the cluster. Raises NoCluster."""
        join(address)
        self._handles: dict[str, DeploymentHandle] = {}

    def names(self) -> list[str]:
        """The scorers that are meant to run."""
        try:
            return sorted(scorer_states())
        except NoCluster as error:
            raise ScorerGone(str(error)) from None

    def facts(self, scorer: str, *, within_s: float) -> Reply:
        """`Scorer.facts`."""
        return self._call(scorer, "facts", (), within_s, lambda: False)

    def load(
        self, scorer: str, product: str, version: str, *, gone: Callable[[], bool], within_s: float
    ) -> Reply:
        """`Scorer.load`."""
        return self._call(scorer, "load", (product, version), within_s, gone)

    def score(
        self, scorer: str, ask: Mapping[str, Any], part: Message, *, gone: Callable[[], bool], within_s: float
    ) -> Reply:
        """`Scorer.score`."""
        return self._call(scorer, "score", (dict(ask), ray.put(part), within_s), within_s, gone)

    def close(self) -> None:
        """Leave the cluster."""
        leave()

    def _call(
        self,
        scorer: str,
        method: str,
        arguments: tuple[Any, ...],
        within_s: float,
        gone: Callable[[], bool],
    ) -> Any:
        """What the scorer answers. Raises ScorerGone, NoAnswer."""
        until = time.monotonic() + within_s
        try:
            if scorer not in self._handles:
                self._handles[scorer] = serve.get_app_handle(f"{_PREFIX}{scorer}")
            response: DeploymentResponse[Any] = getattr(self._handles[scorer], method).remote(*arguments)
            while True:
                try:
                    return response.result(timeout_s=_GONE_S)
                except TimeoutError:
                    if gone():
                        response.cancel()
                        raise ScorerGone("it was lost meanwhile") from None
                    if time.monotonic() > until:
                        response.cancel()
                        raise NoAnswer(f"no answer within {within_s:g} s") from None
        except RayTaskError:
            raise
        except (RayError, RayServeException) as error:
            self._handles.pop(scorer, None)
            raise ScorerGone(type(error).__name__) from None
