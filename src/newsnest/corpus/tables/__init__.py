"""Comma-separated files and their kin → rows.

tabular    the two readers
dialect    delimiters and quotes
header     the line that names the columns
headerless tables without one
"""
