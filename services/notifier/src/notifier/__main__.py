"""`python -m notifier api | worker`: starts one process of this service."""

import sys

from notifier.bootstrap import notifier
from shared import process

if __name__ == "__main__":
    sys.exit(process.main(notifier()))
