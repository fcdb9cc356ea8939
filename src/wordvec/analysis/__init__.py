"""Analysis: one file per question that can be asked of tables.

Imports search, tables and everything below them.
"""
