"""JSON documents and JSON lines → rows.

files      the two readers
stream     values too long for memory, looked through once
text       a text of any length, decoded value by value
shape      what an object is: an article, a wrapper of one, a container of many
tables     what holds for all rows of a list, and rows that are no objects
rows       objects → articles, and what holds them
met        the columns of all rows
values     MongoDB's extended JSON and the like
"""
