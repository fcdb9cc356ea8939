"""Search: weighted terms → rows → nearest rows, exactly.

Imports tables, vocabulary, expression and the ground.
"""
