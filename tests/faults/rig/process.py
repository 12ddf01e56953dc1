"""The process that scenarios start, kill and stop."""

from tests.stack.process import Process

__all__ = ["Process"]
