"""Dates in the usual spellings → moments in UTC. Nothing is guessed in silence.

parse      the way in: a text or a value
parts      a text with its digits, marks and words in one form
numbers    three numbers in some order, runs of digits, counts of seconds or days
words      months, weekdays, eras, what is said around a date; dateparser for the rest
zones      offsets, letters and names of time zones
moments    what was read, and what to count
orders     what a file's own dates say of each other
fields     the date of a row: which columns, what is counted
"""
