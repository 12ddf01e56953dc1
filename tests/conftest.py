"""What all tests share: the fixtures of the real stack, and what keeps their figures."""

import signal

pytest_plugins = ["tests.stack.fixtures", "tests.faults.figures"]

# A shell lets its background jobs ignore Ctrl-C, and so would all commands that the tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
