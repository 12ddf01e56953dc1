"""`python -m lead_scoring.migrate`: brings this service's database up to date, and ends."""

import sys

from lead_scoring.config import Settings
from lead_scoring.service import SERVICE
from shared import migrating

if __name__ == "__main__":
    sys.exit(migrating.main(SERVICE, Settings))
