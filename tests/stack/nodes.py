"""Kafka nodes of a test's own, one or three, to be frozen, killed, stopped and started again.

The run's Kafka serves all tests, so nobody may touch that one.
"""

import asyncio
import base64
import json
import os
import secrets
import time
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any, Protocol

from aiokafka.admin import AIOKafkaAdminClient
from tests.stack.ports import free_port
from tests.stack.process import Process

from handoff.embedded.jars import ensure_jars
from handoff.embedded.kafka import KafkaNode
from handoff.embedded.machine import find_java
from handoff.embedded.tool import run_tool
from handoff.layout import Layout
from shared.settings import KafkaSettings

_ROOT = Path(__file__).resolve().parents[2]
_TEMPLATE = Path(__file__).with_name("nodes.properties")
_READY_WITHIN = 60.0
_WHOLE_WITHIN = 60.0
_ASK_EVERY = 0.1
_OFFSETS = "__consumer_offsets"


class Proxy(Protocol):
    """What stands in front of a node, and is told where that is."""

    port_behind: int

    @property
    def address(self) -> str:
        """Where clients connect to."""
        ...


@dataclass
class Node:
    """One node: where it is, and its process."""

    kafka: KafkaNode
    behind: int
    process: Process

    async def start(self) -> float:
        """Start it, again or for the first time; return the seconds until it was ready."""
        self.process.start()
        return await self.ready()

    async def ready(self) -> float:
        """Wait until it answers; return the seconds that took."""
        began = time.monotonic()
        async with asyncio.timeout(_READY_WITHIN):
            while not await self.kafka.is_ready():
                await asyncio.sleep(_ASK_EVERY)
        return time.monotonic() - began

    async def kill(self) -> None:
        """Kill it as a power cut would; it stays away until it is started."""
        await self.process.die()

    @property
    def quorum(self) -> tuple[int, int]:
        """The epoch of the controllers' quorum and the active controller, as this node knows it."""
        place = self.kafka.directory / "data" / "__cluster_metadata-0" / "quorum-state"
        state = json.loads(place.read_text())
        return state["leaderEpoch"], state["leaderId"]


@dataclass
class Nodes:
    """The nodes of one cluster, by their ids."""

    nodes: dict[int, Node]

    @property
    def first(self) -> Node:
        """The only node, or one of them."""
        return self.nodes[1]

    def settings(self) -> KafkaSettings:
        """Return how to find them, with topics that nobody else has."""
        return KafkaSettings(
            kafka_bootstrap=",".join(node.kafka.bootstrap for node in self.nodes.values()),
            kafka_replication=len(self.nodes),
            topic_prefix=f"n{secrets.token_hex(4)}.",
        )

    def controller(self) -> Node:
        """Return the active controller."""
        _, leader = max(node.quorum for node in self.nodes.values())
        return self.nodes[leader]

    async def busiest(self, topics: Sequence[str]) -> Node:
        """Return the node that leads most partitions of these topics."""
        leaders = Counter(partition["leader"] for partition in await self._partitions(topics))
        return self.nodes[leaders.most_common(1)[0][0]]

    async def whole(self, topics: Sequence[str]) -> None:
        """Wait until each copy of these topics, and of the groups' offsets, is in step again."""
        async with asyncio.timeout(_WHOLE_WITHIN):
            while any(
                len(partition["isr"]) < len(self.nodes)
                for partition in await self._partitions([*topics, _OFFSETS])
            ):
                await asyncio.sleep(_ASK_EVERY)

    async def _partitions(self, topics: Sequence[str]) -> list[dict[str, Any]]:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.settings().kafka_bootstrap)
        await admin.start()
        try:
            shapes = await admin.describe_topics(list(topics))
        finally:
            await admin.close()
        return [partition for shape in shapes for partition in shape["partitions"]]


@asynccontextmanager
async def some_nodes(
    directory: Path, count: int, proxy: Proxy | None = None, *, by_itself: bool = False
) -> AsyncGenerator[Nodes]:
    """Run nodes for the block; clients that begin at the proxy stay behind it.

    `by_itself`: they make each topic that somebody names.
    """
    places = [_place(directory / str(number), number) for number in range(1, count + 1)]
    voters = ",".join(f"{p.node_id}@127.0.0.1:{p.controller_port}" for p in places)
    cluster = base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")
    nodes = Nodes({})
    for place in places:
        behind = free_port()
        _write(
            place, voters=voters, behind=behind, copies=count, proxy=proxy,
            by_itself="true" if by_itself else "false",
        )  # fmt: skip
        nodes.nodes[place.node_id] = Node(place, behind, _process(place))
    if proxy is not None:
        proxy.port_behind = nodes.first.behind
    all_nodes = nodes.nodes.values()
    await asyncio.gather(*(asyncio.to_thread(_format, node.kafka, cluster) for node in all_nodes))
    try:
        await asyncio.gather(*(node.start() for node in all_nodes))
        yield nodes
    finally:
        await asyncio.gather(*(node.kill() for node in all_nodes))


def _place(directory: Path, number: int) -> KafkaNode:
    (directory / "data").mkdir(parents=True)
    return KafkaNode(
        java=find_java(os.environ),
        jars=ensure_jars(Layout(root=_ROOT, run=directory).kafka_pom, os.environ),
        template=_TEMPLATE,
        directory=directory,
        port=free_port(),
        controller_port=free_port(),
        node_id=number,
        heap="256m",  # for a machine that many share
    )


def _write(
    place: KafkaNode,
    *,
    voters: str,
    behind: int,
    copies: int,
    proxy: Proxy | None,
    by_itself: str,
) -> None:
    text = Template(_TEMPLATE.read_text()).substitute(
        node_id=place.node_id, port=place.port, controller_port=place.controller_port,
        data=place.directory / "data", voters=voters, behind=behind, copies=copies,
        by_itself=by_itself,
        in_sync=min(2, copies), proxy=proxy.address if proxy else f"127.0.0.1:{behind}",
    )  # fmt: skip
    _properties(place).write_text(text)


def _properties(place: KafkaNode) -> Path:
    return place.directory / "server.properties"


def _process(place: KafkaNode) -> Process:
    return Process(
        name=f"kafka-{place.node_id}",
        command=place.spec({}).command,
        environment=os.environ,
        url="",
        operations_url="",
        log=place.directory / "kafka.log",
    )


def _format(place: KafkaNode, cluster: str) -> None:
    *java, _broker, _its_properties = place.spec({}).command
    run_tool(
        *java, "kafka.tools.StorageTool", "format", f"-t={cluster}", f"-c={_properties(place)}"
    )
