"""An evaluator of the condition language written from docs/workflow-format.md alone, for comparison.

Reads one JSON document per line: {"text": condition, "env": what is known, "worth": what the engine says}.
Prints the lines on which the two differ; the last line is a count.
"""

import json
import re
import sys
from datetime import date
from fractions import Fraction

TOKEN = re.compile(
    r"\s*(?:(\d{4}-\d{2}-\d{2})|(\d+(?:\.\d+)?)|([A-Za-z][A-Za-z0-9_-]*)|(<=|>=|!=|[=<>()\[\],+\-%]))"
)
UNKNOWN = None
COMPARE = {
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


class Option(str):
    """A word that is not a value but one of the options of a choice."""


def tokens(text):
    at, found = 0, []
    while text[at:].strip():
        match = TOKEN.match(text, at)
        if not match:
            raise SyntaxError(text[at:])
        day, number, name, sign = match.groups()
        found.append(("day", day) if day else ("number", number) if number else ("name", name) if name else ("sign", sign))
        at = match.end()
    return found + [("end", "")]


def four_places(value):
    """Rounded to four places, halves away from zero."""
    scaled = abs(value) * 10000
    whole = scaled.numerator * 2 // scaled.denominator
    whole = (whole + 1) // 2
    return Fraction(whole if value >= 0 else -whole, 10000)


class Condition:
    def __init__(self, text, env):
        self.tokens, self.at, self.env = tokens(text), 0, env
        self.today = date.fromisoformat(env["today"])

    def peek(self):
        return self.tokens[self.at]

    def next(self):
        self.at += 1
        return self.tokens[self.at - 1]

    def takes(self, word):
        if self.peek()[1] == word and self.peek()[0] in ("name", "sign"):
            self.at += 1
            return True
        return False

    def need(self, word):
        if not self.takes(word):
            raise SyntaxError(f"{word} expected, {self.peek()} found")

    def any(self):
        parts = [self.all()]
        while self.takes("or"):
            parts.append(self.all())
        if len(parts) == 1:
            return parts[0]
        return True if True in parts else UNKNOWN if UNKNOWN in parts else False

    def all(self):
        parts = [self.negated()]
        while self.takes("and"):
            parts.append(self.negated())
        if len(parts) == 1:
            return parts[0]
        return False if False in parts else UNKNOWN if UNKNOWN in parts else True

    def negated(self):
        if self.takes("not"):
            inner = self.negated()
            return UNKNOWN if inner is UNKNOWN else not inner
        return self.comparison()

    def comparison(self):
        left = self.sum()
        if self.takes("in"):
            self.need("[")
            options = [self.sum()]
            while self.takes(","):
                options.append(self.sum())
            self.need("]")
            return UNKNOWN if left is UNKNOWN else left in options
        if self.peek()[0] == "sign" and self.peek()[1] in COMPARE:
            how = COMPARE[self.next()[1]]
            right = self.sum()
            return UNKNOWN if left is UNKNOWN or right is UNKNOWN else how(left, right)
        return left

    def sum(self):
        left = self.term()
        while self.peek()[1] in ("+", "-") and self.peek()[0] == "sign":
            sign = self.next()[1]
            right = self.term()
            if left is UNKNOWN or right is UNKNOWN:
                left = UNKNOWN
            else:
                left = left + right if sign == "+" else left - right
        return left

    def number(self, text):
        value = Fraction(text)
        if self.takes("%"):
            if self.takes("of"):
                of = self.term()
                return UNKNOWN if of is UNKNOWN else four_places(of * value / 100)
            return value
        if self.peek()[1] in ("kg", "day", "days", "week", "weeks"):
            unit = self.next()[1]
            return value * 7 if unit.startswith("week") else value
        return value

    def term(self):
        kind, text = self.next()
        if kind == "number":
            return self.number(text)
        if kind == "day":
            return date.fromisoformat(text)
        if (kind, text) == ("sign", "-"):
            return -self.number(self.next()[1])
        if (kind, text) == ("sign", "("):
            inner = self.any()
            self.need(")")
            return inner
        if text in ("true", "false"):
            return text == "true"
        if self.takes("("):
            return self.call(text)
        return self.name(text)

    def name(self, name):
        values = self.env["values"]
        if name in values:
            return value_of(values[name])
        return Option(name)

    def call(self, function):
        if function == "known":
            inner = self.any()
            self.need(")")
            return inner is not UNKNOWN
        if function == "times":
            of = self.next()[1]
            how = COMPARE[self.next()[1]]
            with_ = self.sum()
            self.need(",")
            return Fraction(sum(how(value, with_) for value in self.earlier(of)))
        of = self.next()[1]
        days = None
        if function in ("lowest", "highest", "previous"):
            self.need(",")
            values = self.earlier(of)
            if not values:
                return UNKNOWN
            return {"lowest": min, "highest": max, "previous": lambda all: all[-1]}[function](values)
        if function in ("missed", "done_within", "asked_within"):
            self.need(",")
            days = self.sum()
        self.need(")")
        if function == "days_since":
            anchor = self.env["anchors"].get(of)
            return UNKNOWN if anchor is None else Fraction((self.today - date.fromisoformat(anchor)).days)
        if function == "points":
            points = self.env["points"].get(of)
            return UNKNOWN if points is None else Fraction(points)
        if function == "band":
            total = value_of(self.env["values"].get("total"))
            return UNKNOWN if total is UNKNOWN else "low" if total <= 5 else "high"
        if function == "doubtful":
            return of in self.env["doubtful"]
        if function == "declined":
            return of in self.env["declined"]
        step = self.env["steps"][of]
        if function == "missed_in_a_row":
            return Fraction(step["silent_in_a_row"])
        if function in ("answers", "done"):
            return Fraction(step["answers"])
        if function == "outcome":
            return step["outcome"]
        ago = [(self.today - date.fromisoformat(day)).days for day in step["silent" if function == "missed" else "done"]]
        within = [n for n in ago if 0 <= n <= days]
        return Fraction(len(within)) if function == "missed" else bool(within)

    def earlier(self, of):
        """Values of the last days, today's left out, in order; reads the number of days and the bracket."""
        days = self.sum()
        self.need(")")
        series = self.env["series"].get(of, [])
        ago = lambda day: (self.today - date.fromisoformat(day)).days
        return [Fraction(value) for day, value in series if 1 <= ago(day) <= days]


def value_of(value):
    if value is None or isinstance(value, bool):
        return value
    if "number" in value:
        return Fraction(value["number"])
    if "date" in value:
        return date.fromisoformat(value["date"])
    return value["choice"]


def main():
    wrong = seen = 0
    for line in sys.stdin:
        given = json.loads(line)
        condition = Condition(given["text"], given["env"])
        worth = condition.any()
        seen += 1
        if condition.peek()[0] != "end" or worth is not given["worth"]:
            wrong += 1
            print(json.dumps({"text": given["text"], "here": worth, "engine": given["worth"], "env": given["env"]}, default=str))
    print(f"{seen} compared, {wrong} differ")


main()
