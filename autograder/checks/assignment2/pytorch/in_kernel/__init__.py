"""What these checks run beside the student's code: modules that the kernel gets as source.

They import nothing of the judge's, and hold nothing that a student may not see.
"""
