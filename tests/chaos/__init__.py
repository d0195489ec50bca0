"""Chaos: runs are ended at random, their engine is taken away, servers are hostile, timelines are damaged. Seeded.

`python -m tests.chaos --help` says what can be chosen. Whatever happens there must be nothing left, no traceback, no
run that hangs, and no verdict that is not so.
"""
