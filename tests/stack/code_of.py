"""A program of the product as if its code were of a version: `code_of.py VERSION MODULE [WORD...]`.

A database of the tests is of 0001: code of 0002 finds it older, code of 0000 newer.
"""

import runpy
import sys

from shared.database import schema

_KNOWN = ("0000", "0001", "0002")

version = sys.argv[1]
schema.known_versions = lambda _package: [known for known in _KNOWN if known <= version]
sys.argv = sys.argv[2:]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
