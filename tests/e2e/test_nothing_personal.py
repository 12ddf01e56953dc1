"""What a person wrote is in no log, no span and no metric of any process.

Everything is told at the level of debugging, and every trace is kept.
"""

import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.e2e.walk import Doors, a_source, doors, eventually, items, somebody
from tests.stack.collector import Collector
from tests.stack.keys import bearer
from tests.stack.system import System

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-|@|\?|[0-9a-f]{32}", re.IGNORECASE)
_LABEL = re.compile(r'(\w+)="([^"]*)"')
_MOST_SERIES = 3_000


@dataclass
class Canary:
    """A person whom nobody else is like, and a rep who is."""

    word: str = field(default_factory=lambda: f"canary{secrets.token_hex(6)}")
    number: str = field(default_factory=lambda: f"30{secrets.randbelow(10**8):08d}")

    def lead(self, **fields: Any) -> dict[str, Any]:
        """Return a lead that holds the word wherever there is room."""
        word = self.word
        return somebody(
            email=f"{word}@example.com", phone=f"+49{self.number}", first_name=word.title(),
            last_name=f"O'{word}", company=f"{word} Inc", message=f"I am {word}", job_title=word,
            page_url=f"https://example.com/pricing?who={word}", utm={"campaign": word},
            answers={word: word}, unread=word,
        ) | fields  # fmt: skip

    def headers(self, key: str) -> dict[str, str]:
        """Return headers that hold it, beside a key for the API."""
        word = self.word
        return {**bearer(key), "Idempotency-Key": word, "User-Agent": word, "Referer": word,
                "tracestate": f"a={word}"}  # fmt: skip

    def sings_in(self, text: bytes) -> bool:
        """Tell whether the word or the number is there."""
        low = text.lower()
        return self.word.encode() in low or self.number.encode() in low


@pytest.fixture(scope="module")
def canary() -> Canary:
    return Canary()


@pytest.fixture(scope="module")
async def lead_id(system: System, collector: Collector, canary: Canary) -> str:
    """A person who came, came again, was worked on and erased; with all that went wrong."""
    async with doors(system) as door:
        lead_id = await come(system, door, canary)
        await go_wrong(system, door, canary)
        await be_worked_on(door, canary, lead_id)
        erased = await door.intake.delete(f"/v1/leads/{lead_id}")
        assert erased.status_code == 204, erased.text

        async def is_gone() -> bool:
            return (await door.scoring.get(f"/v1/scores/{lead_id}")).status_code == 404

        await eventually(is_gone)
    collector.until(
        lambda told: any(each.name == "send lead.erased"
                         and each.attributes["handoff.subject"] == lead_id for each in told)
    )  # fmt: skip
    return lead_id


async def come(system: System, door: Doors, canary: Canary) -> str:
    key = system.key("marketing-intake")
    source = await a_source(door.intake, name=f"Form {canary.word}")
    for times in range(2):
        answer = await door.intake.post(
            "/v1/leads",
            json=canary.lead(source_id=source["id"], nth=times),
            headers={"Prefer": "wait=10", **canary.headers(key),
                     "Idempotency-Key": f"{canary.word}-{times}"},
        )  # fmt: skip
        assert answer.status_code in (200, 201), answer.text
    return answer.json()["lead_id"]


async def go_wrong(system: System, door: Doors, canary: Canary) -> None:
    word, headers = canary.word, canary.headers(system.key("marketing-intake"))
    post = door.intake.post
    answers = [
        await post("/v1/leads", json=canary.lead(email=[word]), headers=headers),
        await post("/v1/leads", json=canary.lead(source_id=word), headers=headers),
        await post("/v1/leads", content=f'{{"email": "{word}', headers=headers),
        await post("/v1/leads", json=canary.lead(), headers={"Authorization": f"Bearer {word}"}),
        await post(f"/v1/forms/{word}", data=canary.lead(), headers=headers),
        await post(f"/v1/{word}/leads?email={word}", headers=headers),
        await door.intake.get(f"/v1/leads/{word}?who={word}", headers=headers),
        await door.intake.get(f"/v1/leads?email={word}@example.com", headers=headers),
    ]
    assert {answer.status_code // 100 for answer in answers} == {2, 4}


async def be_worked_on(door: Doors, canary: Canary, lead_id: str) -> None:
    async def first_deal() -> dict[str, Any] | None:
        found = await items(door.pipeline, "/v1/deals", lead_id=lead_id)
        return found[0] if found else None

    rep = {"name": f"Rep {canary.word}", "email": f"rep.{canary.word}@example.com"}
    deal = await eventually(first_deal)
    text = {"kind": "call", "text": f"{canary.word} wants more"}
    answers = [
        await door.pipeline.post("/v1/reps", json=rep),
        await door.pipeline.post(
            "/v1/reps", json=rep
        ),  # the address is taken: the database says so
        await door.pipeline.post(f"/v1/deals/{deal['id']}/activities", json=text),
        await door.pipeline.post(f"/v1/deals/{deal['id']}/lose", json={"reason": canary.word}),
    ]
    assert [answer.status_code for answer in answers] == [201, 409, 201, 200]


async def metrics_of_all(system: System) -> dict[str, str]:
    async with httpx.AsyncClient(timeout=20) as http:
        return {
            each["name"]: (await http.get(f"{each['operations_url']}/metrics")).text
            for each in system.processes
        }


def logs(system: System) -> list[Path]:
    return sorted(path for path in (system.run / "logs").rglob("*") if path.is_file())


@pytest.mark.usefixtures("lead_id")
def test_no_log_of_any_process_holds_it(system: System, canary: Canary) -> None:
    assert len(logs(system)) >= len(system.processes)
    assert [path.name for path in logs(system) if canary.sings_in(path.read_bytes())] == []


@pytest.mark.usefixtures("lead_id")
def test_no_span_holds_it(collector: Collector, canary: Canary) -> None:
    assert {told.service for told in collector.told} >= {"marketing-intake", "notifier"}
    assert [body for body in collector.raw if canary.sings_in(body)] == []


@pytest.mark.usefixtures("lead_id")
async def test_no_metric_of_any_process_holds_it(system: System, canary: Canary) -> None:
    shown = await metrics_of_all(system)

    assert len(shown) == len(system.processes)
    assert [name for name, text in shown.items() if canary.sings_in(text.encode())] == []


@pytest.mark.usefixtures("lead_id")
async def test_labels_hold_no_ids_and_the_series_of_a_process_are_few(system: System) -> None:
    for name, text in (await metrics_of_all(system)).items():
        ours = [line for line in text.splitlines() if line.startswith("handoff_")]
        values = {value for line in ours for _, value in _LABEL.findall(line)}

        assert {value for value in values if _ID.search(value)} == set(), name
        assert len(ours) < _MOST_SERIES, name
