"""Many submissions: what to grade, on which machines, and what is on record when it is done.

submission  ->  task  ->  executor: task grader, here or on workers  ->  engine  ->  records,
autograded/  ->  recorder  ->  gradebook
"""
