"""Pure rules of intake: mapping of senders' fields, identity, what belongs to a lead.

Standard library and `shared.ids` only; `now` and ids are passed in, nothing is read or written.
"""
