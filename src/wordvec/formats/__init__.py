"""Formats: tables to and from the files of other programs.

Imports tables, models, vocabulary and the ground.
"""
