"""Records of anybody are taken apart, and what Postgres could not store is nobody's event."""

from dataclasses import dataclass, field

import pytest

from shared.clock import utc_now
from shared.contracts.envelope import Envelope
from shared.ids import new_id
from shared.messaging.records import take_apart


@dataclass(frozen=True)
class Raw:
    """A record as Kafka gives it."""

    headers: list[tuple[str, bytes]]
    topic: str = "handoff.leads.v1"
    partition: int = 0
    offset: int = 7
    key: bytes | None = None
    value: bytes | None = field(default=b"{}")


def record(**changed: str) -> Raw:
    envelope = Envelope(
        event_id=new_id(), topic="handoff.leads.v1", subject=new_id(), sequence=1,
        kind="lead.captured", version=1, said_at=utc_now(), source="marketing-intake",
        correlation_id=new_id(), causation_id=None, traceparent=None, data=b"{}",
    )  # fmt: skip
    own = dict(envelope.headers())
    own |= {name: text.encode() for name, text in changed.items()}
    return Raw(list(own.items()))


@pytest.mark.parametrize(
    "changed",
    [
        {"ce_type": "lead\0.v1"},
        {"ce_source": "\0"},
        {"traceparent": "00-\0"},
        {"ce_sequence": "0"},
        {"ce_sequence": str(2**63)},
    ],
)
def test_a_header_that_could_not_be_stored_makes_it_a_stranger(changed: dict[str, str]) -> None:
    deliveries, strangers = take_apart("handoff.leads.v1", [record(**changed)])

    assert deliveries == []
    assert len(strangers) == 1


def test_a_stranger_with_nul_in_a_header_name_can_be_stored() -> None:
    _, strangers = take_apart("handoff.leads.v1", [Raw([("a\0b", b"\0")])])

    row = strangers[0].row()
    assert "\0" not in row["error"] + "".join(row["headers"]) + "".join(row["headers"].values())
