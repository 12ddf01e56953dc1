"""The Kafka client and the topics: the only modules that know aiokafka.

What a record means is the business of messaging.
"""
