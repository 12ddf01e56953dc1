"""The alerts say what they must, and ask for what there is."""

import re
from typing import Any

import pytest
from tests.contract.artefacts import openapi
from tests.contract.artefacts.expressions import metrics_in
from tests.contract.artefacts.metrics import shown
from tests.contract.artefacts.others import OTHERS
from tests.contract.artefacts.rules import alerts, groups
from tests.house import code
from tests.house.headings import anchors

from handoff.services import ROLES, SERVICES

RULES = [rule for group in groups() for rule in group["rules"]]
DOORS = ("/v1/leads", "/v1/forms/", "/v1/in/")
SEVERITIES = {"page", "ticket"}


def name(rule: dict[str, Any]) -> str:
    window = rule.get("labels", {}).get("window", "")
    return f"{rule.get('alert') or rule['record']}{window and '-'}{window}"


@pytest.mark.parametrize("rule", RULES, ids=name)
def test_every_metric_of_a_rule_is_shown_by_somebody_or_recorded(rule: dict[str, Any]) -> None:
    recorded = {rule["record"] for rule in RULES if "record" in rule}

    assert metrics_in(rule["expr"]) - shown() - recorded - set(OTHERS) == set()


@pytest.mark.parametrize("rule", alerts(), ids=name)
def test_an_alert_says_how_grave_it_is_what_is_so_and_what_to_do(rule: dict[str, Any]) -> None:
    document, _, anchor = rule["annotations"]["runbook_url"].partition("#")

    assert rule["labels"]["severity"] in SEVERITIES
    assert len(rule["annotations"]["summary"]) > 20
    assert anchor in anchors((code.ROOT / document).read_text())


@pytest.mark.parametrize("rule", alerts(), ids=name)
def test_who_looks_for_an_alert_by_its_name_finds_it_where_it_leads(rule: dict[str, Any]) -> None:
    document, _, anchor = rule["annotations"]["runbook_url"].partition("#")
    parts = re.split(r"^(#+ .+)$", (code.ROOT / document).read_text(), flags=re.MULTILINE)[1:]
    sections = zip(parts[::2], parts[1::2], strict=True)
    named = [text for heading, text in sections if anchor in anchors(heading)]

    assert [rule["alert"] in re.findall(r"\w+", text) for text in named] == [True]


def test_each_metric_of_others_that_is_known_is_asked_for() -> None:
    assert set(OTHERS) <= {metric for rule in RULES for metric in metrics_in(rule["expr"])}


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ('max by (le) (rate(a_b{c="d"}[5m])) > 4 * 8e3', {"a_b"}),
        ("a unless on (c, d) b:r5m and absent(up) == bool 1", {"a", "b:r5m", "up"}),
    ],
)
def test_all_names_of_metrics_are_found_whosever_they_are(expression: str, names: set[str]) -> None:
    assert metrics_in(expression) == names


def test_no_two_alerts_are_called_the_same() -> None:
    names = [name(rule) for rule in alerts()]

    assert len(names) == len(set(names))


def test_what_is_recorded_is_used() -> None:
    used = {metric for rule in alerts() for metric in metrics_in(rule["expr"])}

    assert {rule["record"] for rule in RULES if "record" in rule} <= used


def test_a_promise_is_about_routes_that_take_leads() -> None:
    paths = openapi.document("marketing-intake")["paths"]
    named = {
        route.replace(".token.", "{token}")
        for rule in RULES
        for routes in re.findall(r'route=~"([^"]+)"', rule["expr"])
        for route in routes.split("|")
    }

    about_known = {path for path in paths if path.startswith("/v1/leads/{")}
    doors = {path for path in paths if "post" in paths[path] and path.startswith(DOORS)}

    assert named == doors - about_known


def test_each_role_of_each_service_is_missed() -> None:
    (gone,) = [rule for rule in alerts() if rule["alert"] == "HandoffServiceGone"]
    missed = re.findall(r'service="([\w-]+)", role="(\w+)"', gone["expr"])

    assert sorted(missed) == sorted((service.name, role) for service in SERVICES for role in ROLES)
