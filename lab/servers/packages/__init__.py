"""Servers on well-known packages, each as short as it can be: what is found in them is found in the package.

`make packages` installs them. What was found in which version, and how it was verified, is in docs/*/packages.md.
"""
