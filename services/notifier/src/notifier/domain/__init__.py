"""The rules of following up: playbooks, the titles they write, the life of a task.

Standard library and `shared.ids` only; the moment and new ids are passed in.
"""
