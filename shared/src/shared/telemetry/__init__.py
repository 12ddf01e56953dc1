"""How a process tells what it does: logs, metrics, trace context, heartbeats.

Never personal data: ids and counts only.
"""
