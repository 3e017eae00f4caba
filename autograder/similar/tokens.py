"""Code as a row of tokens in which names, layout, comments and quotes no longer matter.

Pygments does the lexing: it takes whatever students write, also what is no Python.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from pygments.lexers.python import PythonLexer
from pygments.token import Comment, Name, Number, Operator, Punctuation, String, Text, _TokenType

_LEXER = PythonLexer()
_WORD = re.compile(r"\w+")
_KEPT_NUMBERS = ("0", "1", "2")


class Token(NamedTuple):
    """What is compared, and the line it stands in (from 0)."""

    text: str
    line: int


def code_tokens(source: str) -> list[Token]:
    """Names of the student's own choosing become V, strings S, numbers above two N.

    Names after a dot stay (``np.dot``), unless the code defines them itself. Parentheses, comments,
    docstrings and white space go.
    """
    lexed = list(_significant(source))
    own = _own_attributes(lexed)
    tokens: list[Token] = []
    for number, (kind, text, line) in enumerate(lexed):
        if kind in String:
            if not (tokens and number and lexed[number - 1][0] in String):
                tokens.append(Token("S", line))
        elif kind in Number:
            tokens.append(Token(text if text in _KEPT_NUMBERS else "N", line))
        elif kind in Operator or kind in Punctuation:
            tokens += [Token(text, line)] if text.isalpha() else _signs(text, line)
        elif kind in Name and kind not in Name.Builtin:
            attribute = number and lexed[number - 1][1] == "."
            tokens.append(Token(text if attribute and text not in own else "V", line))
        else:
            tokens.append(Token(text, line))
    return tokens


def prose_tokens(source: str) -> list[Token]:
    """The words, in lower case."""
    return [
        Token(word.casefold(), line)
        for line, text in enumerate(source.split("\n"))
        for word in _WORD.findall(text)
    ]


_Lexed = tuple[_TokenType, str, int]


def _significant(source: str) -> Iterator[_Lexed]:
    """Tokens with their lines, without white space, comments and docstrings."""
    line, counted = 0, 0
    for at, kind, text in _LEXER.get_tokens_unprocessed(source):
        line, counted = line + source.count("\n", counted, at), at
        if not (kind in Comment or kind in Text or kind in String.Doc):
            yield kind, text, line


def _own_attributes(lexed: list[_Lexed]) -> set[str]:
    """Names that the code assigns to (``self.NAME = ...``) or defines."""
    defined = {text for kind, text, _ in lexed if kind in Name.Function or kind in Name.Class}
    triples = zip(lexed, lexed[1:], lexed[2:], strict=False)
    assigned = {
        text
        for (_, before, _), (kind, text, _), (_, after, _) in triples
        if kind in Name and before == "." and after == "="
    }
    return defined | assigned


def _signs(text: str, line: int) -> list[Token]:
    return [Token(sign, line) for sign in text if sign not in "()"]
