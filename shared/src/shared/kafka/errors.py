"""What Kafka can answer, sorted: whose fault is it that a record was not taken?

`KafkaError` is the library's own; it passes through here so that nobody else need know the library.
"""

from aiokafka.errors import (
    CorruptRecordException,
    InvalidTimestampError,
    KafkaError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    RecordTooLargeError,
)

__all__ = ["KafkaError", "is_of_the_record"]

# By name, not by elimination: a right that the brokers do not give, or a producer that they know no
# longer, would look like the fault of each record in turn, and hold one lead after the other.
_OF_THE_RECORD = (
    CorruptRecordException,
    InvalidTimestampError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    RecordTooLargeError,
)


def is_of_the_record(error: Exception) -> bool:
    """Tell a record that Kafka will never take from everything that may pass."""
    return isinstance(error, _OF_THE_RECORD)
