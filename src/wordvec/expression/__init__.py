"""Expressions: text → tokens (lexer) → syntax tree (parser, tree) → weighted terms.

Imports the ground alone: errors and text.
"""
