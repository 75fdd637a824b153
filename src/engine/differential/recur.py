"""Recurrences by python-dateutil, for comparison: one JSON document per line, with what the engine lays out.

{"anchor": date, "rhythm": {"every": [months, days], "from": […], "to": […] or null} or
                           {"weekdays": [0..6], "from": […], "to": […] or null}, "days": [dates]}
"""

import json
import sys
from datetime import date, datetime

from dateutil.relativedelta import relativedelta
from dateutil.rrule import DAILY, rrule

MOST = 80


def plus(anchor, months, days):
    return anchor + relativedelta(months=months, days=days)


def laid_out(anchor, rhythm):
    start = plus(anchor, *rhythm["from"])
    end = plus(anchor, *rhythm["to"]) if rhythm["to"] else None
    if "weekdays" in rhythm:
        rule = rrule(
            DAILY,
            dtstart=datetime.combine(start, datetime.min.time()),
            byweekday=rhythm["weekdays"],
            until=datetime.combine(end, datetime.min.time()) if end else None,
            count=None if end else MOST,
        )
        return [day.date() for _, day in zip(range(MOST), rule)]
    days = []
    for k in range(MOST):
        months = rhythm["from"][0] + k * rhythm["every"][0]
        day = plus(anchor, months, rhythm["from"][1] + k * rhythm["every"][1])
        if end and day > end:
            break
        days.append(day)
    return days


def main():
    wrong = seen = 0
    for line in sys.stdin:
        given = json.loads(line)
        expected = [day.isoformat() for day in laid_out(date.fromisoformat(given["anchor"]), given["rhythm"])]
        seen += 1
        if expected != given["days"]:
            wrong += 1
            print(json.dumps({"given": given, "dateutil": expected}))
    print(f"{seen} compared, {wrong} differ")


main()
