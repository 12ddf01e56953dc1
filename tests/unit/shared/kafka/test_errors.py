"""Whose fault it is that a record was not taken."""

import pytest
from aiokafka.errors import (
    KafkaConnectionError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    NotLeaderForPartitionError,
    OutOfOrderSequenceNumber,
    TopicAuthorizationFailedError,
)

from shared.kafka.errors import is_of_the_record


@pytest.mark.parametrize(
    "error",
    [KafkaTimeoutError(), KafkaConnectionError(), NotLeaderForPartitionError(), OSError()],
)
def test_brokers_that_are_away_are_no_fault_of_a_record(error: Exception) -> None:
    assert not is_of_the_record(error)


@pytest.mark.parametrize("error", [TopicAuthorizationFailedError(), OutOfOrderSequenceNumber()])
def test_what_would_befall_each_record_in_turn_is_no_fault_of_one(error: Exception) -> None:
    assert not is_of_the_record(error)


def test_a_record_that_is_too_large_will_never_be_taken() -> None:
    assert is_of_the_record(MessageSizeTooLargeError())
