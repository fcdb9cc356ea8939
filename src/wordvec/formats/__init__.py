"""Formats: read and write the files of other programs, one module for each format.

Imports tables, models, vocabulary, text, errors and progress; cli and api may import it.
"""
