"""Expressions: text → tokens (lexer) → syntax tree (parser, tree) → weighted terms.

Imports only errors and text. Search and everything above it may import this folder.
"""
