"""One lead's whole story over all databases and Kafka, and what it waits for.

Reads the view `story` of each database, which every service fills with its own steps.
"""
