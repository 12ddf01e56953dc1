"""Keeps programs running: starts them in order, restarts what dies, stops them in reverse.

Knows nothing of Postgres, Kafka or the services; those hand in a `Spec` each.
"""
