"""Each alert fires on what it is for and is silent otherwise, by Prometheus' own tool.

Where that cannot be had, these tests are skipped, and say so.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.contract import firing, firing_of_replicas
from tests.contract.artefacts.dashboards.boards import BOARDS
from tests.contract.artefacts.rules import RULES, alerts, groups
from tests.contract.firing import Case, Series
from tests.stack.promtool import NotToBeHad, promtool

CASES = [*firing.CASES, *firing_of_replicas.CASES]
FILES = sorted(str(path) for path in RULES.glob("*.yaml"))


@pytest.fixture(scope="module")
def tool() -> Path:
    try:
        return promtool()
    except NotToBeHad as error:
        pytest.skip(f"NO ALERT WAS TRIED: {error}")


def ask(tool: Path, *words: str) -> None:
    told = subprocess.run(  # noqa: S603  our own words
        [str(tool), *words], capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stdout + told.stderr


def trial(case: Case, series: Series, *, fires: bool) -> dict[str, Any]:
    """Return a test of promtool's: whether the alert fires at the time."""
    window = f',window="{case.window}"' if case.window else ""
    firing = f'ALERTS{{alertname="{case.alert}",alertstate="firing"{window}}}'
    return {
        "interval": case.interval,
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [
            {
                "expr": f"clamp_max(count({firing}) or vector(0), 1)",
                "eval_time": case.at,
                "exp_samples": [{"labels": "{}", "value": int(fires)}],
            }
        ],
    }


def test_every_alert_is_tried() -> None:
    tried = {(case.alert, case.window) for case in CASES}

    assert tried == {(rule["alert"], rule["labels"].get("window", "")) for rule in alerts()}


def test_the_rules_are_rules(tool: Path) -> None:
    ask(tool, "check", "rules", *FILES)


def test_every_expression_of_a_dashboard_can_be_read(tool: Path, tmp_path: Path) -> None:
    expressions = [
        expression.replace("$__rate_interval", "5m").replace("$service", "notifier")
        for board in BOARDS.values()
        for panel in board.content()["panels"]
        for expression in (target["expr"] for target in panel.get("targets", ()))
    ]
    rules = [{"record": f"panel:{number}", "expr": each} for number, each in enumerate(expressions)]
    asked = tmp_path / "asked.yaml"
    asked.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))

    ask(tool, "check", "rules", str(asked))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.alert}{case.window}")
def test_an_alert_fires_on_what_it_is_for_and_on_nothing_else(
    tool: Path, case: Case, tmp_path: Path
) -> None:
    trials = [trial(case, series, fires=True) for series in case.bad]
    trials += [trial(case, series, fires=False) for series in case.good]
    wanted = tmp_path / "wanted.yaml"  # of which JSON is a part
    order = [group["name"] for group in groups()]  # else by chance: an alert before what it is of
    wanted.write_text(json.dumps(
        {"rule_files": FILES, "evaluation_interval": case.interval, "group_eval_order": order,
         "tests": trials}
    ))  # fmt: skip

    ask(tool, "test", "rules", str(wanted))
