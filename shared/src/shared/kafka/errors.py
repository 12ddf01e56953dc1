"""What Kafka can answer, sorted: whose fault is it that a record was not taken?

`KafkaError` is the library's own; it passes through here so that nobody else need know the library.
"""

from aiokafka.errors import KafkaConnectionError, KafkaError, KafkaTimeoutError

__all__ = ["KafkaError", "is_of_the_record"]


def is_of_the_record(error: Exception) -> bool:
    """Tell a record that Kafka will never take from brokers that are away or without a leader."""
    away = isinstance(error, KafkaTimeoutError | KafkaConnectionError)
    return isinstance(error, KafkaError) and not error.retriable and not away
