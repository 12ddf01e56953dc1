"""Owns reps, deals, their stages and timelines, orders and customers.

Hears of leads, their scores and the follow-up tasks; says what sales makes of them. Marketing's
side of a lead and the making of tasks are others' business.
"""
