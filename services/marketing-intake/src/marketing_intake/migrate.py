"""`python -m marketing_intake.migrate`: brings this service's database up to date, and ends."""

import sys

from marketing_intake.bootstrap import intake
from shared import migrating

if __name__ == "__main__":
    sys.exit(migrating.main(intake()))
