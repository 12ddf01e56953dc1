"""`python -m marketing_intake.migrate`: brings this service's database up to date, and ends."""

import sys

from marketing_intake.config import Settings
from marketing_intake.service import SERVICE
from shared import migrating

if __name__ == "__main__":
    sys.exit(migrating.main(SERVICE, Settings))
