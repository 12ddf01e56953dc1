"""The plans by which Postgres carried out what was sent to it, told by Postgres itself.

Its module `auto_explain` sends every plan to the session that it was made for, as a notice, with
the rows and pages that it came to. So what is judged is what services send, with the values, the
settings and the prepared statements of that moment; no statement stands in a test.
"""

import json
import re
from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg
from sqlalchemy import event
from sqlalchemy.pool import Pool
from tests.stack.running import Stack

_SETTINGS = {
    "session_preload_libraries": "auto_explain",
    "auto_explain.log_level": "notice",
    "auto_explain.log_min_duration": "0",
    "auto_explain.log_format": "json",
    "auto_explain.log_analyze": "on",
    "auto_explain.log_buffers": "on",
    "auto_explain.log_timing": "off",
    "auto_explain.log_nested_statements": "on",
}
_LOOK_UPS = ("Index Scan", "Index Only Scan", "Bitmap Index Scan")
_FOREIGN_KEY = "SELECT 1 FROM ONLY"
_PARTITION = re.compile(r"_(rest|\d{8})$")

SMALL = {
    "breaker": "a row for each version of the code",
    "lease": "a row for each loop of which there must be one",
    "outbox_held": "leads of which Kafka does not take the next event",
    "playbook": "the rules of one site, of which a batch needs all that are enabled",
    "rep": "those who sell: whose turn it is takes all of them",
    "scorecard": "a row for each version of the rules",
    "source": "a few forms, ads and importers",
    "subscription": "a row for each topic",
    "team": "one row",
}
"""Tables that stay small whatever comes in, and may be read from end to end."""

Node = Mapping[str, Any]


async def explain_all(stack: Stack, *urls: str) -> None:
    """Have databases tell their plans to every session that begins from now on."""
    await _alter(stack, urls, [f"SET {name} = '{value}'" for name, value in _SETTINGS.items()])


async def explain_nothing(stack: Stack, *urls: str) -> None:
    """Have databases tell nothing to sessions that begin from now on."""
    await _alter(stack, urls, ["RESET ALL"])


async def _alter(stack: Stack, urls: Sequence[str], changes: Sequence[str]) -> None:
    connection = await asyncpg.connect(stack.postgres_url, ssl=False)
    try:
        for name in (url.rpartition("/")[2] for url in urls):
            for change in changes:
                await connection.execute(f'ALTER DATABASE "{name}" {change}')
    finally:
        await connection.close()


@dataclass(frozen=True, slots=True)
class Told:
    """A statement that was carried out, and how."""

    text: str
    root: Node

    @property
    def is_check(self) -> bool:
        """Whether Postgres asked it itself, for a foreign key."""
        return self.text.startswith(_FOREIGN_KEY)

    @property
    def is_of_postgres(self) -> bool:
        """Whether it asks Postgres' own tables, as the driver does once for each session."""
        return any(table.startswith("pg_") for table in self.tables)

    @property
    def pages(self) -> int:
        """How many pages were looked at, in memory or not."""
        return self.root["Shared Hit Blocks"] + self.root["Shared Read Blocks"]

    @property
    def rows(self) -> int:
        """How many rows it gave, or wrote."""
        return max(
            round(node["Actual Rows"] * node["Actual Loops"])
            for node in (self.root, *_children(self.root))
        )

    @property
    def tables(self) -> set[str]:
        """Which tables it touched."""
        return {_table(node) for node, _ in self.nodes() if "Relation Name" in node}

    def nodes(self) -> Iterator[tuple[Node, bool]]:
        """Give each node of the plan, and whether only so many rows of it are taken."""
        return _walk(self.root, limited=False)

    def walked(self) -> set[str]:
        """Return the large tables that are read from end to end, as far as nothing ends it early.

        Postgres' own are not meant: the driver asks them once for each session.
        """
        found = {
            _table(node)
            for node, limited in self.nodes()
            if node["Node Type"] == "Seq Scan"
            or (node["Node Type"] in _LOOK_UPS and "Index Cond" not in node and not limited)
        }
        return {table for table in found - SMALL.keys() if not table.startswith("pg_")}


@dataclass(slots=True)
class Plans:
    """What the sessions of this process were told, in the order in which it came."""

    told: list[Told] = field(default_factory=list[Told])

    def take(self) -> Sequence[Told]:
        """Return what was told since the last time."""
        told, self.told = self.told, []
        return told

    def walks(self) -> Counter[tuple[str, str]]:
        """Count which statement read which table from end to end."""
        return Counter((table, one.text) for one in self.told for table in one.walked())

    def hear(self, _connection: object, message: asyncpg.PostgresLogMessage) -> None:
        """Take a notice; what is no plan is somebody else's."""
        _, is_plan, plan = str(message.message).partition("plan:\n")
        if is_plan:
            said = json.loads(plan)
            self.told.append(Told(said["Query Text"], said["Plan"]))


@contextmanager
def listening() -> Generator[Plans]:
    """Hear the plans of all sessions that this process begins during a block."""
    plans = Plans()

    def listen(connection: Any, _record: object) -> None:
        connection.driver_connection.add_log_listener(plans.hear)

    event.listen(Pool, "connect", listen)
    try:
        yield plans
    finally:
        event.remove(Pool, "connect", listen)


def _walk(node: Node, *, limited: bool) -> Iterator[tuple[Node, bool]]:
    yield node, limited
    for child in _children(node):
        yield from _walk(child, limited=limited or node["Node Type"] == "Limit")


def _children(node: Node) -> Sequence[Node]:
    return node.get("Plans", ())


def _table(node: Node) -> str:
    """Return which table a node is about; of a day's partition the table that it is part of."""
    return _PARTITION.sub("", node.get("Relation Name") or node["Index Name"])
