"""What all tests share; the fixtures of the real stack are in `tests/stack/fixtures.py`."""

pytest_plugins = ["tests.stack.fixtures"]
