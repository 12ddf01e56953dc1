"""The workload that audits all the time: what it shows, and how it bears an outage."""

import asyncio
import re
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest
from tests.integration.handoff.conftest import Handoff
from tests.integration.handoff.databases import Databases
from tests.stack.beginning import amiss
from tests.stack.ports import free_port

from shared.ids import new_id
from shared.kafka import topics
from shared.settings import KafkaSettings

_WITHIN = 30.0


@dataclass
class Operations:
    """The process, asked over its port."""

    client: httpx.AsyncClient
    process: "subprocess.Popen[bytes]"

    async def gauges(self) -> dict[str, float]:
        """Return the audit's metrics, by name with labels."""
        text = (await self.client.get("/metrics")).text
        found = re.findall(r"^(handoff_(?:leads|audit)_\S+) (\S+)$", text, re.MULTILINE)
        return {name: float(value) for name, value in found}

    async def gauge(self, name: str) -> float | None:
        """Return one of them; None: it is not there."""
        return (await self.gauges()).get(name)

    async def until(self, so: Callable[[], Awaitable[bool]]) -> None:
        """Wait until something is so."""
        async with asyncio.timeout(_WITHIN):
            while not await so():
                await asyncio.sleep(0.1)

    async def until_missing(self, count: float) -> None:
        """Wait until the gauge has this value."""

        async def so() -> bool:
            return await self.gauge("handoff_leads_missing") == count

        await self.until(so)

    async def until_ready(self, *, ready: bool) -> None:
        """Wait until the process says that it is ready, or is not."""

        async def so() -> bool:
            return (await self.client.get("/readyz")).is_success is ready

        await self.until(so)


@asynccontextmanager
async def running(
    databases: Databases, *before: str, log: Path | None = None, **changes: str
) -> AsyncGenerator[Operations]:
    """Run it for the block, auditing every second; `before`: by which program it is run."""
    port = free_port()
    settings = {
        **databases.environment(),
        "HANDOFF_OPERATIONS_PORT": str(port),
        "HANDOFF_AUDIT_SECONDS": "1",
        **changes,
    }
    with ExitStack() as stack:
        process = subprocess.Popen(  # noqa: ASYNC220, S603  our own command
            [sys.executable, "-m", *before, "handoff", "operations"],
            env=settings,
            stderr=stack.enter_context(log.open("wb")) if log else None,
        )
    url = f"http://127.0.0.1:{port}"
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=5) as client:
        operations = Operations(client, process)
        try:
            await operations.until(lambda: _answers(client))
            yield operations
        finally:
            process.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(process.wait, 20) == 0


async def _answers(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/livez")).is_success
    except httpx.TransportError:
        return False


async def test_a_lead_that_goes_missing_is_shown_and_its_coming_back_too(
    databases: Databases,
) -> None:
    lead_id = new_id()
    await databases.say(lead_id, 1)
    await databases.all_hear(lead_id, 1)
    async with running(databases) as operations:
        await operations.until_missing(0)
        await databases.owners["lead-scoring"].execute("DELETE FROM lead_score")
        await operations.until_missing(1)
        gauges = await operations.gauges()
        await databases.hear("lead-scoring", lead_id, 1)
        await operations.until_missing(0)

        assert gauges['handoff_audit_broken{invariant="lead_captured_has_score"}'] == 1
        assert gauges["handoff_audit_timestamp_seconds"] > 0
        assert 'handoff_audit_broken{invariant="lead_captured_has_score"}' not in (
            await operations.gauges()
        )
        assert 'handoff_audit_seconds{look="lately"}' in gauges


async def test_what_is_wrong_stays_in_sight_however_long_ago_it_went_wrong(
    databases: Databases,
) -> None:
    lead_id = new_id()
    await databases.say(lead_id, 1)
    await databases.all_hear(lead_id, 1)
    await databases.owners["lead-scoring"].execute("DELETE FROM lead_score")
    await databases.owners["marketing-intake"].execute(
        "UPDATE outbox_archive SET published_at = now() - interval '1 hour'"
    )
    async with running(databases) as operations:
        await operations.until_missing(1)
        first = await operations.gauge("handoff_audit_timestamp_seconds")

        async def has_looked_again() -> bool:
            now = await operations.gauges()
            at = now["handoff_audit_timestamp_seconds"]
            return 'handoff_audit_seconds{look="lately"}' in now and at > (first or 0) + 2

        await operations.until(has_looked_again)

        assert await operations.gauge("handoff_leads_missing") == 1


async def test_a_database_that_is_away_holds_it_and_the_last_figures_stay(
    databases: Databases,
) -> None:
    lead_id = new_id()
    await databases.say(lead_id, 1)
    await databases.all_hear(lead_id, 1)
    await databases.owners["lead-scoring"].execute("DELETE FROM lead_score")
    async with running(databases) as operations:
        await operations.until_missing(1)
        name = databases.urls["notifier"].rpartition("/")[2]
        owner = databases.owners["notifier"]
        await owner.execute(f'REVOKE CONNECT ON DATABASE "{name}" FROM operations')
        await operations.until_ready(ready=False)
        held = (await operations.client.get("/readyz")).json()["troubles"]
        stale = await operations.gauge("handoff_audit_timestamp_seconds")
        kept = await operations.gauge("handoff_leads_missing")
        alive = (await operations.client.get("/livez")).is_success
        await owner.execute(f'GRANT CONNECT ON DATABASE "{name}" TO operations')
        await operations.until_ready(ready=True)

        assert held == {"loop audit": "infrastructure"}
        assert (kept, alive) == (1, True)
        assert (await operations.gauge("handoff_audit_timestamp_seconds") or 0) > (stale or 0)


async def test_before_the_first_audit_it_says_that_it_does_not_know(databases: Databases) -> None:
    away = "postgresql://operations:x@127.0.0.1:1/notifier"
    async with running(databases, HANDOFF_OPERATIONS_DATABASE_URL_NOTIFIER=away) as operations:
        await operations.until_ready(ready=False)
        gauges = await operations.gauges()

        assert str(gauges["handoff_leads_missing"]) == "nan"
        assert gauges["handoff_audit_timestamp_seconds"] == 0


async def test_while_nothing_happens_it_costs_next_to_nothing(databases: Databases) -> None:
    async with running(databases, HANDOFF_AUDIT_SECONDS="60") as operations:
        await operations.until_missing(0)
        process = psutil.Process(operations.process.pid)
        before = process.cpu_times()
        await asyncio.sleep(4)
        after = process.cpu_times()

        assert (after.user + after.system) - (before.user + before.system) < 4 * 0.05


@pytest.mark.parametrize(
    "name", ["HANDOFF_OPERATIONS_DATABASE_URL_NOTIFIER", "HANDOFF_KAFKA_BOOTSTRAP"]
)
def test_what_nobody_named_is_asked_for_by_its_variable(handoff: Handoff, name: str) -> None:
    answer = handoff("operations", **{name: None})

    assert answer.returncode == 2
    assert answer.stderr == (
        f"handoff operations: an audit needs every database, and Kafka: set {name}\n"
    )


async def test_what_is_amiss_with_kafka_is_warned_of_and_the_audit_goes_on(
    databases: Databases, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    async with running(databases, log=log, HANDOFF_KAFKA_REPLICATION="3") as operations:
        await operations.until_missing(0)
        await operations.until(lambda: _warned_of(log, "min.insync.replicas is 1 instead of 2"))


async def test_where_all_is_as_it_must_be_nothing_is_warned_of(
    databases: Databases, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    async with running(databases, log=log, HANDOFF_KAFKA_REPLICATION="1") as operations:
        await operations.until_missing(0)
        await operations.until_ready(ready=True)

    assert amiss(log) == []


@pytest.mark.parametrize(
    ("before", "said"),
    [
        (("tests.stack.clock_off", "-20"), "is +20 s off ours: set both by NTP"),
        (("tests.stack.code_of", "0002"), "this code of 0002: run `python -m notifier.migrate`."),
        (("tests.stack.code_of", "0000"), "newer than this code of 0000, which works on them"),
    ],
    ids=["clock off", "older tables", "newer tables"],
)
async def test_what_is_amiss_with_a_database_is_warned_of_by_its_setting_and_the_audit_goes_on(
    databases: Databases, tmp_path: Path, before: tuple[str, str], said: str
) -> None:
    log = tmp_path / "log"
    async with running(databases, *before, log=log) as operations:
        await operations.until(lambda: _warned_of(log, said))
        await operations.until_missing(0)

    (warned,) = [
        line["said"]
        for line in amiss(log)
        if "HANDOFF_OPERATIONS_DATABASE_URL_NOTIFIER" in line.get("said", "")
    ]
    assert said in warned


async def test_topics_with_too_few_partitions_are_warned_of_with_what_adds_some(
    databases: Databases, narrow: KafkaSettings, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    told = {"HANDOFF_TOPIC_PREFIX": narrow.topic_prefix, "HANDOFF_KAFKA_REPLICATION": "1"}
    names = [topics.physical(narrow, topic.name) for topic in topics.TOPICS]
    async with running(databases, log=log, **told) as operations:
        await operations.until(lambda: _warned_of(log, f"Topic {names[-1]}"))
        await operations.until_missing(0)

    assert [line["said"] for line in amiss(log)] == [
        f"Topic {name}: 3 partitions instead of 12;"
        f" add some by `kafka-topics.sh --alter --topic {name} --partitions 12`."
        for name in names
    ]


async def test_the_database_of_another_service_is_warned_of_and_never_audited_instead(
    databases: Databases, tmp_path: Path
) -> None:
    log, name = tmp_path / "log", "HANDOFF_OPERATIONS_DATABASE_URL_LEAD_SCORING"
    told = {name: databases.urls["notifier"], "HANDOFF_KAFKA_REPLICATION": "1"}
    async with running(databases, log=log, **told) as operations:
        await operations.until(lambda: _has_logged(log, "amiss"))
        await operations.until(lambda: _has_logged(log, "audit_failed"))
        await operations.until_ready(ready=False)
        gauges = await operations.gauges()

    said = f"{name} leads to the database of notifier: name that of lead_scoring."
    assert {line["said"] for line in amiss(log)} == {said}
    assert str(gauges["handoff_leads_missing"]) == "nan"
    assert gauges["handoff_audit_timestamp_seconds"] == 0


async def test_what_is_away_is_warned_of_by_its_setting(
    databases: Databases, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    away = {
        "HANDOFF_OPERATIONS_DATABASE_URL_NOTIFIER": "postgresql://operations:x@127.0.0.1:1/notifier",
        "HANDOFF_KAFKA_BOOTSTRAP": "127.0.0.1:1",
    }
    async with running(databases, log=log, **away) as operations:
        await operations.until(lambda: _warned_of(log, "notifier: database does not let us in"))
        await operations.until(lambda: _warned_of(log, "Kafka at 127.0.0.1:1 does not answer"))
        await operations.until(lambda: _warned_of(log, "The database of notifier does not let us"))

    named = {name for line in amiss(log) for name in away if name in str(line.get("said"))}
    (failed, *_) = [line for line in amiss(log) if line["event"] == "audit_failed"]
    assert named == set(away)
    assert failed["said"].endswith("see HANDOFF_OPERATIONS_DATABASE_URL_NOTIFIER.")


async def test_what_was_away_at_the_start_is_looked_at_once_it_is_there(
    databases: Databases, tmp_path: Path
) -> None:
    log, owner = tmp_path / "log", databases.owners["notifier"]
    name = databases.urls["notifier"].rpartition("/")[2]
    await owner.execute(f'REVOKE CONNECT ON DATABASE "{name}" FROM operations')
    await owner.execute("ALTER TABLE alembic_version RENAME TO elsewhere")
    try:
        async with running(databases, log=log) as operations:
            await operations.until(lambda: _warned_of(log, "notifier: database does not let us in"))
            await owner.execute(f'GRANT CONNECT ON DATABASE "{name}" TO operations')
            await operations.until(lambda: _warned_of(log, "has no tables yet"))
    finally:
        await owner.execute(f'GRANT CONNECT ON DATABASE "{name}" TO operations')
        await owner.execute("ALTER TABLE elsewhere RENAME TO alembic_version")


async def _warned_of(log: Path, words: str) -> bool:
    return any(words in line.get("said", "") for line in amiss(log))


async def _has_logged(log: Path, event: str) -> bool:
    return any(line["event"] == event for line in amiss(log))


def test_a_setting_that_is_none_is_named(handoff: Handoff) -> None:
    answer = handoff("operations", HANDOFF_AUDIT_SECONDS="soon")

    assert answer.returncode == 2
    assert "HANDOFF_AUDIT_SECONDS" in answer.stderr
    assert "Traceback" not in answer.stderr
