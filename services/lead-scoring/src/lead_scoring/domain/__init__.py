"""The rules of scoring: pure, without a clock, a database or a wire format."""
