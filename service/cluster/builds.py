"""Commands on the nodes of a Ray cluster that build: those that were started with the resource BUILDS.

A command on a node is a `service.cluster.runner.Runner` there, an actor of Ray. The actor ends with the front
that started it, and its command with the actor: nobody reads the command's lines any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import RayError, RayTaskError

from service.cluster.runner import Runner
from service.commands import POLL_S, CommandFailed
from service.refusals import NotReady, Refusal
from service.settings import BUILDS

_END_S = 10.0  # to end a command: 5 s until it is ended by force, and the way there and back
_GIB = 1 << 30


class NodeLost(NotReady):
    """A node, or the process that watched the command there, was lost. Another node may run it."""

    at_fault = True

    def __init__(self, reason: str) -> None:
        super().__init__("node_lost", f"The node of the cluster that ran the build was lost: {reason}.")


_ACTOR: Any = ray.remote(Runner)


class NodeCommands:
    """Commands on the nodes of the cluster that this process has joined. See `service.commands.Commands`."""

    elsewhere = True

    def __init__(self, threads: int, gpus: float) -> None:
        """threads, gpus: of each command."""
        self._threads = threads
        self._gpus = gpus

    async def lines(
        self,
        words: Sequence[str],
        *,
        check: Callable[[], None],
        waits: Callable[[], None],
        memory_bytes: int = 0,
        folders: Sequence[Path] = (),
    ) -> AsyncGenerator[bytes]:
        """See `Commands.lines`. Raises NodeLost, and Refusal where no node can run the command."""
        needed = {BUILDS: 1.0, "GPU": self._gpus, "memory": float(memory_bytes)}
        await asyncio.to_thread(_check_room, needed)
        runner, node = self._runner(words, memory_bytes), None
        try:
            begun = runner.begin.remote([str(folder) for folder in folders])
            node, missing = await _answer(begun, check, waits)
            if missing:
                detail = (
                    f"The node {node} of the cluster does not see the folder {missing[0]}. Mount it there "
                    "under the same path."
                )
                raise Refusal(503, "folder_not_shared", detail)
            end = None
            while end is None:
                lines, end = await _answer(runner.more.remote(POLL_S), check)
                for line in lines:
                    yield line
                check()
        except RayTaskError:
            raise
        except RayError as error:
            raise NodeLost(type(error).__name__) from error
        finally:
            await _end(runner, began=node is not None)
        if end[0]:
            raise CommandFailed(*end)

    def _runner(self, words: Sequence[str], memory_bytes: int) -> Any:
        placed = _ACTOR.options(
            num_cpus=0,  # the nodes say how many builds they take
            num_gpus=self._gpus,
            memory=memory_bytes,
            resources={BUILDS: 1},
            scheduling_strategy="SPREAD",
        )
        return placed.remote(list(words), self._threads)


async def _answer(reference: Any, check: Callable[[], None], waits: Callable[[], None] = lambda: None) -> Any:
    """What a call to a runner returns. check: called again and again meanwhile. waits: called once where the
    call is not answered at once. Raises RayError."""
    answer = asyncio.wrap_future(reference.future())
    try:
        done, _ = await asyncio.wait({answer}, timeout=POLL_S)
        if not done:
            waits()
        while not done:
            check()
            done, _ = await asyncio.wait({answer}, timeout=POLL_S)
        return answer.result()
    finally:
        answer.cancel()  # nobody waits for it any more


async def _end(runner: Any, *, began: bool) -> None:
    """End a runner, and its command. began: whether there is a command, or it may wait for a node."""
    if began:
        with suppress(RayError, TimeoutError):
            await asyncio.wait_for(asyncio.wrap_future(runner.end.remote().future()), _END_S)
    with suppress(RayError):
        await asyncio.to_thread(ray.kill, runner)


def _check_room(needed: dict[str, float]) -> None:
    """Raises Refusal where nodes build, but none of them is large enough for this."""
    alive = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    nodes = [node for node in alive if BUILDS in node]
    fits = [all(node.get(name, 0) >= amount for name, amount in needed.items()) for node in nodes]
    if not nodes or any(fits):
        return
    most = {name: max(node.get(name, 0) for node in nodes) for name in needed}
    sizes = [f"{of['GPU']:g} GPUs and {of['memory'] / _GIB:.1f} GB of memory" for of in (needed, most)]
    detail = f"The build needs a node with {sizes[0]}. The most that nodes have that build: {sizes[1]}."
    raise Refusal(503, "no_node", detail)
