"""The benchmark: how fast Handoff is on this machine, beside floors that run in the same minute.

Runs on a Postgres, a Kafka and services of its own. `docs/benchmarks.md` defines each figure;
`floors/` are what the product is compared to; what is shown of it is the command's matter.
"""
