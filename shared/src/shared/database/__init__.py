"""How a service speaks with its own Postgres: engine, errors, bulk writes, migrations, partitions.

Knows tables only as their columns; what they mean is the business of messaging and the services.
"""
