"""The `handoff` command: runs the system on one machine, looks into it, audits it.

Imports no service. It starts them as programs and meets them through HTTP, Kafka and the views
that each database shows to the role `operations`.
"""
