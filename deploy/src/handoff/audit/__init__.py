"""The audit: what was said and what was heard, over all databases, until they are equal.

Reads the views `said` and `heard` alone, so it needs no knowledge of any service's tables.
"""
