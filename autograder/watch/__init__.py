"""Grading what arrives while an assignment is open: so many attempts a day, feedback at once.

sources (the exchange, downloads)  ->  submitted/  ->  arrivals  ->  watcher  ->  batch engine  ->
feedback, and back into the exchange
"""
