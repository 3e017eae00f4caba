"""Pairs of submissions that are suspiciously alike: advice for people, never a score.

``writings`` reads what students wrote, ``tokens`` makes it comparable whatever the names and the
layout, ``fragments`` weighs what is common by how unusual it is in this class, ``parts`` finds what
stands where on both sides, ``pages`` shows it.
"""

#: Unusual lines in common from which a pair is worth a look; docs/similar.md has the measurements.
THRESHOLD = 10.0
