"""A real PostgreSQL and a real Apache Kafka on loopback, without containers.

Prepares their data and says how each is started; keeping them running is the supervisor's work.
"""
