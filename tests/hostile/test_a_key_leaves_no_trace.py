"""Running processes and a key: shown wherever people put it, written down nowhere; and revoked.

Everything is told at the level of debugging, as by somebody who looks for a fault.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from tests.faults.rig.rig import Rig, rigged
from tests.stack.keys import bearer
from tests.stack.process import Process
from tests.stack.running import Stack
from tests.stack.waiting import until

from handoff.keys import SCOPES
from shared.contracts.catalogue import PARTITIONS
from shared.kafka import client
from shared.kafka.port import Partition
from shared.kafka.record import Record
from shared.kafka.topics import physical
from shared.web.keys import NewKey, new_key

INTAKE = "marketing_intake"
LEADS = "handoff.leads.v1"
SOON = 5.0
UNAUTHENTICATED = 401
_ID_ENDS, _SECRET_ENDS = 22, 54
_WAITING = """
    SELECT (SELECT count(*) FROM submission WHERE state = 'received')
         + (SELECT count(*) FROM outbox)
"""


@dataclass(frozen=True, slots=True)
class Site:
    """Two processes that answer, one that works, and a key for all that the API offers."""

    rig: Rig
    doors: tuple[Process, Process]
    worker: Process
    key: NewKey
    source_id: str

    @property
    def secret(self) -> str:
        """The part of the key that nobody but its owner may ever see again."""
        return self.key.text[_ID_ENDS:_SECRET_ENDS]

    def written_down(self) -> dict[str, str]:
        """Return what each process logged."""
        return {each.name: each.log.read_text() for each in (*self.doors, self.worker)}


async def make_key(rig: Rig) -> NewKey:
    key = new_key()
    await rig.ask(
        INTAKE, "SELECT create_api_key($1, $2, 'a test', $3, NULL, NULL)",
        key.key_id, key.secret_hash, list(SCOPES["marketing-intake"]),
    )  # fmt: skip
    return key


@pytest.fixture(scope="module")
async def site(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Site]:
    async with rigged(stack, tmp_path_factory.mktemp("rig"), [INTAKE]) as rig:
        doors = tuple(rig.process(INTAKE, "api", number=n, log_level="debug") for n in (0, 1))
        worker = rig.process(INTAKE, log_level="debug")
        for process in (*doors, worker):
            process.start()
        await asyncio.gather(*(process.ready() for process in (*doors, worker)))
        key = await make_key(rig)
        async with httpx.AsyncClient(base_url=doors[0].url, timeout=20) as http:
            wanted = {"name": "A form", "kind": "api", "channel": "seo"}
            made = await http.post("/v1/sources", json=wanted, headers=bearer(key.text))
        yield Site(rig, (doors[0], doors[1]), worker, key, made.json()["id"])


def misplaced(key: str, source_id: str) -> list[tuple[str, str, Mapping[str, Any]]]:
    """Return requests that hold a key wherever somebody may put one, not only where it belongs."""
    known = bearer(key)
    lead = {"email": "ada@example.com", "source_id": source_id}
    json_type = {"Content-Type": "application/json"}
    names = ("Idempotency-Key", "If-Match", "Prefer", "traceparent", "tracestate", "User-Agent")
    more = ("Referer", "Cookie", "X-API-Key", "X-Request-ID", "Content-Language", "Accept")
    return [
        *(("POST", "/v1/leads", {"json": {**lead, "unread": key}, "headers": {**known, name: key}})
          for name in (*names, *more)),
        ("POST", "/v1/leads", {"json": lead, "headers": {"Authorization": f"Basic {key}"}}),
        ("POST", "/v1/leads", {"json": lead, "headers": {"Authorization": key}}),
        ("POST", "/v1/leads", {"json": lead, "headers": bearer(key + "0")}),
        ("POST", "/v1/leads", {"json": lead, "headers": {**known, "Content-Type": key}}),
        *(("POST", "/v1/leads", {"json": {**lead, field: key}, "headers": known})
          for field in ("email", "phone", "country", "utm", "submitted_at", "source_id")),
        ("POST", "/v1/leads", {"content": key, "headers": {**known, **json_type}}),
        ("POST", "/v1/leads", {"content": f'{{"email": "{key}', "headers": {**known, **json_type}}),
        ("POST", "/v1/sources", {"json": {"name": "a", "kind": key}, "headers": known}),
        ("POST", f"/v1/forms/{key}", {"data": {"email": key}}),
        ("POST", f"/v1/in/{key}", {"json": {"google_key": key}}),
        *(("GET", path, {"params": {name: key}, "headers": known})
          for path in ("/v1/leads", "/v1/submissions", "/nowhere")
          for name in ("access_token", "cursor", "limit", "email", "state")),
        *(("GET", f"{path}/{key}", {"headers": known})
          for path in ("", "/v1", "/v1/leads", "/v1/submissions", "/v1/parked")),
        ("DELETE", f"/v1/leads/{key}/{key}", {"headers": known}),
    ]  # fmt: skip


async def not_http(door: Process, key: str) -> str:
    """Say a key to the port in what is no request; return the answer."""
    address = urlsplit(door.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(f"GET {key} {key}\r\n{key}: {key}\r\n\r\n".encode())
    answer = await asyncio.wait_for(reader.read(), timeout=20)
    writer.close()
    return answer.decode("latin-1")


@pytest.fixture(scope="module")
async def answers(site: Site) -> list[str]:
    """Everything that was answered to the key in all its places, with the headers."""
    async with httpx.AsyncClient(base_url=site.doors[0].url, timeout=20) as http:
        requests = misplaced(site.key.text, site.source_id)
        found = [await http.request(method, path, **rest) for method, path, rest in requests]
    said = [f"{answer.status_code} {answer.headers} {answer.text}" for answer in found]
    return [*said, await not_http(site.doors[0], site.key.text)]


async def test_no_answer_shows_it(site: Site, answers: list[str]) -> None:
    assert {answer[0] for answer in answers} >= {"2", "4"}
    assert [answer for answer in answers if site.secret in answer] == []
    assert [answer for answer in answers if answer.startswith("5")] == []


async def test_no_log_line_holds_it_even_at_the_level_of_debugging(
    site: Site, answers: list[str]
) -> None:
    logs = site.written_down()
    requests = logs[site.doors[0].name].count('"request"')

    assert requests >= len(answers) - 1
    assert site.key.key_id in logs[site.doors[0].name]
    assert [name for name, log in logs.items() if site.secret in log] == []


@pytest.mark.usefixtures("answers")
async def test_no_metric_holds_it(site: Site) -> None:
    async with httpx.AsyncClient(timeout=20) as http:
        metrics = [
            (await http.get(f"{process.operations_url}/metrics")).text
            for process in (*site.doors, site.worker)
        ]

    assert 'route="/v1/leads"' in metrics[0]
    assert not any(site.secret in text or site.key.key_id in text for text in metrics)


@pytest.mark.usefixtures("answers")
async def test_no_header_of_an_event_holds_it(site: Site) -> None:
    async def all_sent() -> bool:
        return await site.rig.one(INTAKE, _WAITING) == 0

    await until(all_sent, seconds=60)
    records = await _records(site.rig)

    assert len(records) > 0
    assert [
        record.headers for record in records
        if any(site.secret.encode() in part for _, part in record.headers)
        or site.secret.encode() in (record.key or b"")
    ] == []  # fmt: skip


async def _records(rig: Rig) -> list[Record]:
    reader = client.reader(rig.kafka)
    await reader.start()
    try:
        wanted = [Partition(physical(rig.kafka, LEADS), number) for number in range(PARTITIONS)]
        ends = await reader.end_offsets(wanted)
        reader.assign(wanted)
        for partition in wanted:
            reader.seek(partition, 0)
        records: list[Record] = []
        while len(records) < sum(ends.values()):
            found = await reader.getmany(*wanted, timeout_ms=1000)
            records += [record for some in found.values() for record in some]
        return records
    finally:
        await client.stop(reader)


async def test_a_revoked_key_is_refused_by_every_process_within_five_seconds(site: Site) -> None:
    key = await make_key(site.rig)
    async with httpx.AsyncClient(headers=bearer(key.text), timeout=20) as http:
        paths = [f"{door.url}/v1/sources" for door in site.doors]
        before = [(await http.get(path)).status_code for path in paths]
        assert await site.rig.one(INTAKE, "SELECT revoke_api_key($1)", key.key_id)
        began = time.monotonic()
        took = await asyncio.gather(*(_refused(http, path, began) for path in paths))

    assert before == [200, 200]
    assert max(took) < SOON


async def _refused(http: httpx.AsyncClient, path: str, began: float) -> float:
    """Ask until the key is refused; return how long after `began` that was."""
    while time.monotonic() - began < 2 * SOON:
        asked = time.monotonic()
        if (await http.get(path)).status_code == UNAUTHENTICATED:
            return asked - began
        await asyncio.sleep(0.05)
    raise AssertionError(f"{path} still lets the key in")
