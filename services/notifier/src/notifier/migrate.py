"""`python -m notifier.migrate`: brings this service's database up to date, and ends."""

import sys

from notifier.bootstrap import notifier
from shared import migrating

if __name__ == "__main__":
    sys.exit(migrating.main(notifier()))
