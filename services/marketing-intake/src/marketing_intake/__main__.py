"""`python -m marketing_intake api | worker`: starts one process of this service."""

import sys

from marketing_intake.bootstrap import intake
from shared import process

if __name__ == "__main__":
    sys.exit(process.main(intake()))
