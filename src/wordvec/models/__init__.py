"""Models: from a model's name to a folder on this machine (bundled, local, or from the hub).

Imports vocabulary, errors and the other modules below them.
"""
