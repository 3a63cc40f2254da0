# SPDX-License-Identifier: MIT
"""The rules by which a line of C becomes a mutant, and the choice among what they make."""

import random
import re

NOT_CODE = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)
# One more or less of a buffer is no matter.
SKIPPED = re.compile(r"\s*(#include|#if|#endif|#pragma|_Static_assert|case .*:|default:|"
                     r"(unsigned )?char \w+\[)")
# A whole statement on a line that declares nothing and does not leave the function.
STATEMENT = re.compile(r"\s+(\*?[a-z_][\w.\[\]>-]* ([-+*/|&]|<<|>>)?= .*|(\(void\))?[a-z_]\w*\(.*\)|"
                       r"[^=]*(\+\+|--)|(\+\+|--)[^=]*|break);\s*$")
COMPARISONS = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "=="}
OTHERS = {"&&": "||", "||": "&&", "+": "-", "-": "+", "+=": "-=", "-=": "+=", "|": "&",
          "true": "false", "false": "true"}


def blank(source):
    """The source with its comments and the contents of its strings as spaces."""
    def spaces(match):
        return re.sub(r"[^\n\"]", " ", match[0])
    return NOT_CODE.sub(spaces, source)


def replaced(line, match, text):
    return line[:match.start()] + text + line[match.end():]


def swap(line, code, table, border):
    """One mutant for each operator of the table."""
    words = "|".join(sorted(map(re.escape, table), key=len, reverse=True))
    for match in re.finditer(rf"(?<={border})({words})(?={border})", code):
        yield replaced(line, match, table[match[0]])


def comparison(line, code, _names):
    yield from swap(line, code, COMPARISONS, " ")


def operator(line, code, _names):
    yield from swap(line, code, OTHERS, r"[ (),;:]")


def negated(line, code, _names):
    match = re.match(r"\s*(?:\} else )?(?:if|while) \((.*)\)( \{)?\s*$", code)
    if match and match[1].count("(") == match[1].count(")"):
        start, end = match.span(1)
        yield f"{line[:start]}!({line[start:end]}){line[end:]}"


def off_by_one(line, code, _names):
    for match in re.finditer(r"(?<![\w.-])(0x[0-9a-f]+|[0-9]+)(?![\w.])", code):
        number = int(match[0], 0)
        for other in sorted({number + 1, max(number - 1, 0)} - {number}):
            yield replaced(line, match, hex(other) if "x" in match[0] else str(other))
    for match in re.finditer(r"\+\+|--", code):
        yield replaced(line, match, {"++": "--", "--": "++"}[match[0]])


def family(name):
    """What may stand for a constant: those of its prefix, or another errno."""
    return "errno" if re.fullmatch(r"E[A-Z0-9]{3,}", name) else re.split(r"_|(?<=POLL)", name)[0]


def constant(line, code, names):
    for match in re.finditer(r"\b[A-Z][A-Z0-9_]{3,}\b(?!\()", code):
        for other in names:
            if other != match[0] and family(other) == family(match[0]):
                yield replaced(line, match, other)


def dropped(line, code, _names):
    if STATEMENT.match(code) and code.count("(") == code.count(")"):
        yield re.match(r"\s*", line)[0] + ";"


RULES = (comparison, operator, negated, off_by_one, constant, dropped)


def lines_of(path, source, chance):
    """Yields at most one mutant a line: (path, number of the line, line, line of the mutant)."""
    code_lines = blank(source).splitlines()
    names = sorted(set(re.findall(r"\b[A-Z][A-Z0-9_]{3,}\b", blank(source))))
    for number, (line, code) in enumerate(zip(source.splitlines(), code_lines), 1):
        whole = re.search(r"[;{}):]\s*$|^\s*$", code_lines[number - 2]) or number == 1
        made = [] if SKIPPED.match(code) else [list(rule(line, code, names)) for rule in RULES
                                               if rule is not dropped or whole]
        made = [mutants for mutants in made if mutants]
        if made:
            yield path, number, line, chance.choice(chance.choice(made))


def choose(sources, count, seed):
    """Chooses `count` mutants by chance, of each file in proportion to the lines that have one. The
    first of them are as well spread over the files as all are."""
    chance = random.Random(seed)
    placed = []
    for path, source in sorted(sources.items()):
        mutants = list(lines_of(path, source, chance))
        chance.shuffle(mutants)
        placed += [((index + chance.random()) / len(mutants), mutant)
                   for index, mutant in enumerate(mutants)]
    return [mutant for _, mutant in sorted(placed)[:count]]
