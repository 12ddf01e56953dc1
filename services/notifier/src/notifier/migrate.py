"""`python -m notifier.migrate`: brings this service's database up to date, and ends."""

import sys

from notifier.config import Settings
from notifier.service import SERVICE
from shared import migrating

if __name__ == "__main__":
    sys.exit(migrating.main(SERVICE, Settings))
