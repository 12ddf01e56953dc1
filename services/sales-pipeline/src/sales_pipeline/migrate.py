"""`python -m sales_pipeline.migrate`: brings this service's database up to date, and ends."""

import sys

from sales_pipeline.config import Settings
from sales_pipeline.service import SERVICE
from shared import migrating

if __name__ == "__main__":
    sys.exit(migrating.main(SERVICE, Settings))
