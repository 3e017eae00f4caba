"""Many submissions: what to grade, on which machines, and what is on record when it is done.

plan  ->  task  ->  desk (on a worker)  ->  engine  ->  gradebook, records, autograded/
"""
