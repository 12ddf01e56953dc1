"""One Apache Kafka node (broker and KRaft controller in one) on loopback.

Replication is 1: what is lost with this node's disk is lost. Topics are made elsewhere.
"""

import asyncio
import base64
import os
import secrets
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template

from handoff.embedded.ports import LOOPBACK
from handoff.embedded.tool import run_tool
from handoff.supervisor.spec import Spec

_JVM = (
    *("-Xms256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
    *("-XX:+ExitOnOutOfMemoryError", "-Dfile.encoding=UTF-8"),
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSZ",
)
_METADATA_REQUEST = 3
_METADATA_VERSION = 4
_NO_CLIENT_NAME = -1
_ANSWER_WITHIN = 2.0


@dataclass(frozen=True, slots=True)
class KafkaNode:
    """Where one node is and how it is started.

    Attributes:
        jars: directory of Kafka's jars.
        template: the server properties with `${...}` for what differs per node.
        directory: holds the properties and the data, kept between runs.
        heap: what Java may take at most.
    """

    java: Path
    jars: Path
    template: Path
    directory: Path
    port: int
    controller_port: int
    node_id: int = 1
    heap: str = "512m"

    @property
    def bootstrap(self) -> str:
        """Host and port that clients start from."""
        return f"{LOOPBACK}:{self.port}"

    def prepare(self) -> None:
        """Write the properties, and format the storage if that was never done.

        Raises:
            ToolFailed: the storage tool failed.
        """
        self._data.mkdir(parents=True, exist_ok=True)
        self._properties.write_text(self._fill_template())
        if not (self._data / "meta.properties").exists():
            self._format()

    def spec(self, environment: Mapping[str, str]) -> Spec:
        """Return how to run it, once prepared."""
        return Spec(
            name="kafka",
            command=(*self._jvm(), "kafka.Kafka", str(self._properties)),
            environment=environment,
            ready=self.is_ready,
            grace=30.0,
        )

    async def is_ready(self) -> bool:
        """Ask the broker which brokers it knows; ready once it names itself."""
        try:
            async with asyncio.timeout(_ANSWER_WITHIN):
                return await _count_brokers(self.port) > 0
        except (OSError, EOFError, TimeoutError):
            return False

    @property
    def _data(self) -> Path:
        return self.directory / "data"

    @property
    def _properties(self) -> Path:
        return self.directory / "server.properties"

    def _fill_template(self) -> str:
        return Template(self.template.read_text()).substitute(
            node_id=self.node_id,
            port=self.port,
            controller_port=self.controller_port,
            data=self._data,
        )

    def _jvm(self) -> tuple[str, ...]:
        return (str(self.java), f"-Xmx{self.heap}", *_JVM, "-cp", f"{self.jars}{os.sep}*")

    def _format(self) -> None:
        cluster = base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")
        tool = ("kafka.tools.StorageTool", "format", "--standalone", f"-t={cluster}")
        run_tool(*self._jvm(), *tool, f"-c={self._properties}")


async def _count_brokers(port: int) -> int:
    """Send a metadata request for no topics, by hand: a client library logs each refusal."""
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    try:
        header = struct.pack(">hhih", _METADATA_REQUEST, _METADATA_VERSION, 1, _NO_CLIENT_NAME)
        request = header + struct.pack(">i?", 0, False)
        writer.write(struct.pack(">i", len(request)) + request)
        await writer.drain()
        size = struct.unpack(">i", await reader.readexactly(4))[0]
        answer = await reader.readexactly(size)
        _correlation, _throttle, brokers = struct.unpack_from(">iii", answer)
        return int(brokers)
    finally:
        writer.close()
