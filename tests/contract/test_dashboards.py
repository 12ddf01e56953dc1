"""The dashboards show what there is, of whichever Prometheus they are given."""

import json
from typing import Any

import pytest
from tests.contract.artefacts.dashboards.boards import BOARDS
from tests.contract.artefacts.expressions import metrics_in
from tests.contract.artefacts.files import DASHBOARDS, OBSERVABILITY
from tests.contract.artefacts.metrics import declared, shown
from tests.contract.artefacts.rules import groups

FILES = sorted(DASHBOARDS.glob("*.json"))
OF_ALL = {path.stem: json.loads(path.read_text()) for path in FILES}


def expressions(board: dict[str, Any]) -> list[str]:
    return [target["expr"] for panel in board["panels"] for target in panel.get("targets", ())]


def uids_of_datasources(value: object) -> set[str]:
    """Return how every part of a dashboard names the source of its data."""
    if isinstance(value, list):
        return set().union(*map(uids_of_datasources, value))
    if not isinstance(value, dict):
        return set()
    named = value.get("datasource")
    mine = {named["uid"] if isinstance(named, dict) else str(named)} if named else set()
    return mine.union(*(uids_of_datasources(each) for each in value.values()))


def test_each_dashboard_is_a_file_that_the_cluster_gets() -> None:
    told = (OBSERVABILITY / "kustomization.yaml").read_text()

    assert set(OF_ALL) == set(BOARDS)
    assert all(f"- dashboards/{path.name}\n" in told for path in FILES)


@pytest.mark.parametrize("board", OF_ALL.values(), ids=list(OF_ALL))
def test_every_metric_of_a_dashboard_is_shown_by_the_code_or_recorded(
    board: dict[str, Any],
) -> None:
    recorded = {rule["record"] for group in groups() for rule in group["rules"] if "record" in rule}

    for expression in expressions(board):
        assert metrics_in(expression), expression
        assert metrics_in(expression) - shown() - recorded == set()


@pytest.mark.parametrize("board", OF_ALL.values(), ids=list(OF_ALL))
def test_a_dashboard_takes_its_data_from_where_one_chooses(board: dict[str, Any]) -> None:
    kinds = {each["name"]: each["type"] for each in board["templating"]["list"]}

    assert uids_of_datasources(board) == {"${datasource}"}
    assert kinds["datasource"] == "datasource"


@pytest.mark.parametrize("board", OF_ALL.values(), ids=list(OF_ALL))
def test_no_two_panels_have_the_same_number_or_lie_on_each_other(board: dict[str, Any]) -> None:
    numbers = [panel["id"] for panel in board["panels"]]
    places = [
        (x, y)
        for panel in board["panels"]
        for at in [panel["gridPos"]]
        for x in range(at["x"], at["x"] + at["w"])
        for y in range(at["y"], at["y"] + at["h"])
    ]

    assert len(numbers) == len(set(numbers))
    assert len(places) == len(set(places))
    assert max(x for x, _ in places) < 24


def test_no_two_dashboards_have_the_same_uid() -> None:
    uids = [board["uid"] for board in OF_ALL.values()]

    assert len(uids) == len(set(uids))


def test_all_that_is_measured_can_be_looked_at() -> None:
    seen = {
        name for board in OF_ALL.values() for one in expressions(board) for name in metrics_in(one)
    }
    parts = ("", "_bucket", "_count", "_sum")

    assert [name for name in declared() if not any(f"{name}{part}" in seen for part in parts)] == []
