"""A role of a service on a machine whose clock is off: `clock_off.py SECONDS MODULE [WORD...]`.

Only what the role compares with the database's clock is moved: a machine's clock is everybody's.
"""

import runpy
import sys
from datetime import timedelta

from shared.database import server

right, off = server.utc_now, timedelta(seconds=float(sys.argv[1]))
server.utc_now = lambda: right() + off
sys.argv = sys.argv[2:]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
