"""What a log holds of an error: names and places, however errors hang together."""

from shared.telemetry import trail


def test_an_error_is_named_with_its_causes_and_without_its_words() -> None:
    error = ValueError("of ada@example.com")
    error.__cause__ = KeyError("ada@example.com")

    assert trail.of(error) == {"error": "ValueError < KeyError", "where": []}


def test_errors_that_cause_each_other_are_named_once() -> None:
    first, second = RuntimeError("closed"), OSError("ended")
    second.__cause__, first.__context__ = first, second

    assert trail.of(first)["error"] == "RuntimeError < OSError"
