"""The doors: HTTP in `api.py` and `routes/`, Kafka in `worker.py`, time in `timer.py`.

Each parses, locks, loads, calls one use case, saves and commits. No rule lives here.
"""
