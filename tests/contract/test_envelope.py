"""The envelope is CloudEvents 1.0 in Kafka's binary mode; the library `cloudevents` judges."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary_event, to_binary_event
from hypothesis import given
from hypothesis import strategies as st
from tests.contract.golden import FULL_SAMPLES, event_of, name_of

from shared.contracts.catalogue import read, topic_of
from shared.contracts.envelope import Envelope, NoEnvelope, from_record

REQUIRED = {"ce_id", "ce_source", "ce_type", "ce_subject", "ce_sequence", "ce_time"}
MOMENTS = st.datetimes(timezones=st.just(UTC), min_value=datetime(2000, 1, 1)).filter(  # noqa: DTZ001  hypothesis wants naive bounds
    lambda moment: moment.year < 9000
)


def envelope_of(sample: Path) -> Envelope:
    event = event_of(sample).from_wire(sample.read_bytes())
    return Envelope(
        event_id=UUID("01956c3e-0000-7000-8000-000000000099"),
        topic=topic_of(type(event)),
        subject=event.subject,
        sequence=7,
        kind=event.kind,
        version=event.version,
        said_at=datetime(2026, 3, 2, 9, 0, 0, 123456, tzinfo=UTC),
        source="lead-scoring",
        correlation_id=UUID("01956c3e-0000-7000-8000-000000000098"),
        causation_id=UUID("01956c3e-0000-7000-8000-000000000097"),
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        data=event.to_wire(),
    )


ANY = envelope_of(FULL_SAMPLES[0])


def message(envelope: Envelope) -> KafkaMessage:
    """Return the record as the library takes it; it speaks of CloudEvents' own headers only."""
    ours = ("ce_", "content-type")
    headers = {name: raw for name, raw in envelope.headers() if name.startswith(ours)}
    return KafkaMessage(headers=headers, key=str(envelope.subject).encode(), value=envelope.data)


@pytest.mark.parametrize("sample", FULL_SAMPLES, ids=name_of)
def test_the_library_reads_our_records_as_the_same_event(sample: Path) -> None:
    envelope = envelope_of(sample)

    event = from_binary_event(message(envelope))
    assert event.get_specversion() == "1.0"
    assert event.get_id() == str(envelope.event_id)
    assert event.get_source() == envelope.source
    assert event.get_type() == f"{envelope.kind}.v{envelope.version}"
    assert event.get_subject() == str(envelope.subject)
    assert event.get_time() == envelope.said_at
    assert event.get_datacontenttype() == "application/json"
    assert event.get_extension("sequence") == "7"
    assert event.get_extension("partitionkey") == str(envelope.subject)
    assert event.get_data() == json.loads(sample.read_text())


@pytest.mark.parametrize("sample", FULL_SAMPLES, ids=name_of)
def test_we_read_what_the_library_writes_of_our_event(sample: Path) -> None:
    envelope = envelope_of(sample)
    written = to_binary_event(from_binary_event(message(envelope)))

    read_again = from_record(
        topic=envelope.topic, value=written.value, headers=written.headers.items()
    )
    assert read(read_again) == read(envelope)
    assert replace(read_again, data=b"") == replace(envelope, data=b"", traceparent=None)


@given(
    sequence=st.integers(min_value=1, max_value=2**63 - 1),
    version=st.integers(min_value=1, max_value=99),
    said_at=MOMENTS,
    causation_id=st.none() | st.uuids(),
    blank=st.none() | st.sampled_from(["erased", "discarded"]),
    data=st.binary(max_size=100),
)
def test_an_envelope_comes_out_of_its_headers_as_it_went_in(
    sequence: int,
    version: int,
    said_at: datetime,
    causation_id: UUID | None,
    blank: str | None,
    data: bytes,
) -> None:
    envelope = replace(
        ANY,
        sequence=sequence,
        version=version,
        said_at=said_at,
        causation_id=causation_id,
        blank=blank,
        data=data,
    )

    assert from_record(topic=ANY.topic, value=data, headers=envelope.headers()) == envelope


@pytest.mark.parametrize("missing", sorted(REQUIRED))
def test_a_record_without_a_required_header_has_no_envelope(missing: str) -> None:
    headers = [(name, raw) for name, raw in ANY.headers() if name != missing]

    with pytest.raises(NoEnvelope):
        from_record(topic=ANY.topic, value=ANY.data, headers=headers)


@pytest.mark.parametrize(
    ("header", "raw"),
    [
        ("ce_id", b"not-a-uuid"),
        ("ce_sequence", b"seven"),
        ("ce_type", b"lead.captured"),
        ("ce_time", b"yesterday"),
        ("ce_subject", b"\xff\xfe"),
    ],
)
def test_a_record_with_a_malformed_header_has_no_envelope(header: str, raw: bytes) -> None:
    headers = [(name, raw if name == header else value) for name, value in ANY.headers()]

    with pytest.raises(NoEnvelope):
        from_record(topic=ANY.topic, value=ANY.data, headers=headers)


def test_of_a_header_that_stands_twice_the_first_counts() -> None:
    headers = [*ANY.headers(), ("traceparent", b"00-added-by-somebody-on-the-way")]

    envelope = from_record(topic=ANY.topic, value=ANY.data, headers=headers)
    assert envelope.traceparent == ANY.traceparent
