"""`python -m lead_scoring api | worker`: starts one process of this service."""

import sys

from lead_scoring.bootstrap import scoring
from shared import process

if __name__ == "__main__":
    sys.exit(process.main(scoring()))
