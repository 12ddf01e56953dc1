"""The edge over HTTP: what every service's API has in common, and nothing of any one service.

The app factory and its guards, problem documents, value types, keys, cursors, preconditions,
idempotency, health, and the server. Routes and models stay with their services.
"""
