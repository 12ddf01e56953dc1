"""What is measured: declared in one place, named alike, with labels of few values."""

import re

from prometheus_client import REGISTRY
from tests.contract.artefacts.metrics import LABELS, declared, labels_of, name_of
from tests.house import code

_MODULES = {"shared/src/shared/telemetry/metrics.py", "deploy/src/handoff/operations.py"}
_MAKES = re.compile(r"\b(Counter|Gauge|Histogram|Summary|Info|Enum)\(\s*\"")
_UNITS = ("seconds", "rows", "events", "days_kept", "timestamp_seconds")


def test_every_metric_stands_where_the_document_is_made_from() -> None:
    made = {code.name(path) for path in code.files() if _MAKES.search(path.read_text())}

    assert {path for path in made if not path.startswith("tests/")} == _MODULES


def test_every_metric_begins_with_our_name_and_tells_its_meaning() -> None:
    for name, metric in declared().items():
        (family,) = metric.describe()
        assert re.fullmatch(r"handoff(_[a-z]+)+", name)
        assert len(family.documentation) > len(name) / 2


def test_a_counter_ends_with_total_and_a_time_with_seconds() -> None:
    for name, metric in declared().items():
        (family,) = metric.describe()
        assert name.endswith("_total") == (family.type == "counter")
        assert family.type != "histogram" or name.endswith(_UNITS), name


def test_labels_are_from_a_closed_list() -> None:
    used = {label for metric in declared().values() for label in labels_of(metric)}

    assert used == LABELS.keys()


def test_what_the_process_shows_of_ours_is_what_is_declared() -> None:
    ours = [metric for metric in REGISTRY.collect() if metric.name.startswith("handoff_")]
    shown = {f"{each.name}_total" if each.type == "counter" else each.name for each in ours}

    assert shown == {name_of(metric) for metric in declared().values()}
