"""Rules and dashboards ask for labels that the metrics have: by another they find nothing."""

import json

import pytest
from tests.contract.artefacts.expressions import grouped_in, metrics_in, selected_in
from tests.contract.artefacts.files import DASHBOARDS
from tests.contract.artefacts.metrics import declared, labels_of
from tests.contract.artefacts.others import OTHERS
from tests.contract.artefacts.rules import groups

RULES = [rule for group in groups() for rule in group["rules"]]
BOARDS = [json.loads(path.read_text()) for path in sorted(DASHBOARDS.glob("*.json"))]
ASKED = sorted(
    {rule["expr"] for rule in RULES}
    | {target["expr"] for board in BOARDS for panel in board["panels"]
       for target in panel.get("targets", ())}
)  # fmt: skip
GIVEN = {"service", "role", "instance", "job", "namespace", "pod"}
"""What a series gets where it is scraped."""


def had(metric: str) -> set[str]:
    """Return the labels of a metric; of a recorded one those of what it is made of."""
    if metric in OTHERS:
        return {*OTHERS[metric], *GIVEN}
    made = [rule for rule in RULES if rule.get("record") == metric]
    for rule in made:
        return set(rule.get("labels", {})).union(*map(had, metrics_in(rule["expr"])))
    for part in ("_bucket", "_count", "_sum"):
        whole = metric.removesuffix(part)
        if whole != metric and whole in declared():
            return {*labels_of(declared()[whole]), *GIVEN, *(["le"] if part == "_bucket" else [])}
    return {*(labels_of(declared()[metric]) if metric in declared() else ()), *GIVEN}


def strange(expression: str) -> set[str]:
    """Return the labels of which nothing in an expression has one."""
    of_one = {label for metric, label in selected_in(expression) if label not in had(metric)}
    of_any = GIVEN.union(*map(had, metrics_in(expression)))
    return of_one | (grouped_in(expression) - of_any)


@pytest.mark.parametrize("expression", ASKED)
def test_every_label_that_is_asked_for_is_one_of_the_metric(expression: str) -> None:
    assert strange(expression) == set()


@pytest.mark.parametrize(
    "expression",
    [
        'sum(handoff_consumer_lag{lead_id="notifier"})',
        "max by (partition) (handoff_consumer_lag)",
        "handoff_consumer_lag * on (lead_id) handoff_leads_missing",
        "sum by (le) (handoff_leads_missing)",
        'handoff_http_request_seconds_count{topic="leads"}',
        'cnpg_collector_pg_wal_archive_status{status="ready"}',
    ],
)
def test_a_label_that_nothing_has_is_seen(expression: str) -> None:
    assert strange(expression) != set()
