"""The notifier's own tables, and what loads and saves them: one statement a table and batch.

Holds no rule. The subjects' locks are the edge's business.
"""
