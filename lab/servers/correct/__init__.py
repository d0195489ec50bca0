"""Servers that leave nothing behind, in as many styles as people write: a check that faults one of these is wrong.

Two things recur. A handler that never receives is told nothing, so every one receives; and a send to a client that has
stopped reading waits for ever, pings or no pings, so every send has a timeout.
"""
