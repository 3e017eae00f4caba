"""When something was handed in, as nbgrader reads it, but without the seconds it takes to import.

The names of time zones are python-dateutil's, as nbgrader's are.
"""

from __future__ import annotations

import datetime

from dateutil import parser, tz


def in_utc(text: str) -> datetime.datetime:
    """The moment, in UTC without saying so. Raises ValueError and OverflowError.

    A third word is a time zone, ``UTC`` or ``Europe/Berlin``, or seconds east of Greenwich; a text
    that names none is taken to be in UTC.
    """
    words = text.split(" ")
    if len(words) == 3:
        zone = int(words[2]) if _is_number(words[2]) else tz.gettz(words[2])
        moment = parser.parse(" ".join([*words[:2], "TZ"]), tzinfos={"TZ": zone})
    else:
        moment = parser.parse(text)
    offset = moment.utcoffset()
    return moment if offset is None else (moment - offset).replace(tzinfo=None)


def _is_number(word: str) -> bool:
    try:
        int(word)
    except ValueError:
        return False
    return True
