"""Moves events so that none is lost, doubled or out of order.

capture: many requests, one commit. outbox and relay: from a commit to Kafka. stream and consumer:
from Kafka to an effect that happens once. parking: what could not be applied. timers: what is due.
Everything starts with the subject's lock (`subjects`). Knows no service: a `Hearer` tells it what
to load, which use case to call and what to save.
"""
