"""The demonstration: leads at a steady rate through the real door, and what became of them.

Knows the services only as any client does: their APIs, and the views of the role `operations`.
"""
