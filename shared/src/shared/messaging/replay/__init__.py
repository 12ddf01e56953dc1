"""Brings past events once more, by order of a person; what had its effect has it no second time.

`heal`: a service hears a range of a topic again. `republish`: a service says a part of its archive
again. `restore`: after its database was restored, a service takes back from Kafka what it had said.
Orders are rows; one worker carries them out, one after the other (`replays`).
"""
