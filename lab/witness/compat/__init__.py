"""What the witness reads of others that they never promised: one module for each, and one that tries it all.

Each module names every private thing it reads once, at its top, and says in READ_FROM from which versions. A name that
is no longer there raises AttributeError; `trial.tried()` has found that out before the first client came.
"""
