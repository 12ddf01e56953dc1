"""What people write after `handoff restore`, and what they are told when it does not get on."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from typer.testing import CliRunner

from handoff import replay, restore
from handoff.__main__ import app
from handoff.audit.report import Report
from handoff.door import Refused
from handoff.restore import Asked, Stands
from handoff.site import Site
from shared.clock import utc_now
from shared.contracts.catalogue import PIPELINE

ORDER = {
    "id": "1", "verb": "restore", "state": "running", "held": None, "error": None,
    "dry_run": False, "field": None, "counts": [],
}  # fmt: skip


def asked() -> Asked:
    return Asked(Site({}, {}, None), PIPELINE, "a test", lambda _order: None)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restore, "_AGAIN_SECONDS", 0.0)


def looks_like(
    monkeypatch: pytest.MonkeyPatch, looks: Sequence[dict[str, Any]], *, refused: int = 0
) -> None:
    """Have an API that refuses the order so often, then takes it and shows it so."""
    left = [refused]

    async def begin(*_args: object, **_named: object) -> dict[str, Any]:
        left[0] -= 1
        if left[0] >= 0:
            raise Refused(503, "Not available now: the database did not answer")
        return ORDER

    async def watch(*_args: object, **_named: object) -> AsyncIterator[dict[str, Any]]:
        for each in looks:
            yield ORDER | each

    monkeypatch.setattr(replay, "begin", begin)
    monkeypatch.setattr(replay, "watch", watch)


def test_a_service_that_there_is_not_is_wrong_use_and_the_others_are_named() -> None:
    answer = CliRunner().invoke(app, ["restore", "billing"])

    assert answer.exit_code == 2
    assert "is none of marketing-intake" in " ".join(answer.output.split())


async def test_an_order_that_stays_held_is_not_waited_for_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks_like(monkeypatch, [{"state": "held", "held": "infrastructure"}] * 20)

    with pytest.raises(Stands, match=r"cannot go on \(infrastructure\): Kafka or its database"):
        await restore.take_back(asked(), dry_run=False)


async def test_where_no_worker_takes_the_order_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    looks_like(monkeypatch, [{"state": "waiting"}] * 20)

    with pytest.raises(Stands, match="No worker of sales-pipeline takes the order"):
        await restore.take_back(asked(), dry_run=False)


async def test_an_order_that_failed_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    looks_like(monkeypatch, [{"state": "failed", "error": "somebody still sends"}])

    with pytest.raises(Stands, match="somebody still sends"):
        await restore.take_back(asked(), dry_run=False)


async def test_an_api_that_lost_its_connections_with_the_database_is_asked_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks_like(monkeypatch, [{"state": "held", "held": "x"}] * 19 + [{"state": "done"}], refused=3)

    assert (await restore.take_back(asked(), dry_run=False))["state"] == "done"


async def test_an_api_that_stays_away_is_not_asked_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks_like(monkeypatch, [], refused=100)

    with pytest.raises(Refused, match="the database did not answer"):
        await restore.take_back(asked(), dry_run=False)


@pytest.mark.parametrize("words", [[], ["--dry-run"], ["--json"]])
def test_where_there_is_nothing_to_do_it_ends_with_1_and_says_so(
    monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    looks_like(monkeypatch, [{"state": "done"}])

    async def audited(_asked: Asked) -> Report:
        return Report(
            checked_at=utc_now(), seconds=0, kafka_answered=True, pairs=[], behind=[]
        )  # fmt: skip

    async def listed(*_args: object) -> list[object]:
        return []

    monkeypatch.setattr(restore, "audited", audited)
    monkeypatch.setattr(restore, "listed", listed)
    monkeypatch.setattr("handoff.cli.restore.this_site", lambda: Site({}, {}, None))

    answer = CliRunner().invoke(app, ["restore", PIPELINE, *words])

    assert answer.exit_code == 1
    assert "Nothing to restore: sales-pipeline knows what it said" in answer.output
