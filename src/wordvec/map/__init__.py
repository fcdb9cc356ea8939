"""The map: tables → places on a plane → a page or a picture.

Imports analysis, search, tables and everything below them.
"""
