"""The rules of selling: deals, their stages, who gets them, what a customer is.

Standard library and `shared.ids` only; the moment and new ids are passed in.
"""
