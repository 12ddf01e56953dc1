"""`python -m sales_pipeline api | worker`: starts one process of this service."""

import sys

from sales_pipeline.bootstrap import pipeline
from shared import process

if __name__ == "__main__":
    sys.exit(process.main(pipeline()))
