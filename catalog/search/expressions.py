"""What a text must hold, as a small tree that each engine writes in its own language: pieces, joined by All and Any."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Union

from catalog.search.text import Piece, pieces


@dataclass(frozen=True)
class All:
    parts: tuple["Expression", ...]


@dataclass(frozen=True)
class Any:
    parts: tuple["Expression", ...]


Expression = Union[Piece, All, Any]  # noqa: UP007 the classes name it before it exists


def every(parts: Iterable[Expression]) -> Expression | None:
    return _joined(All, parts)


def some(parts: Iterable[Expression]) -> Expression | None:
    return _joined(Any, parts)


def _joined(kind, parts):
    """One part stands for itself; a part of the same kind is taken in; None for no part."""
    flat: dict[Expression, None] = {}
    for part in parts:
        flat |= dict.fromkeys(part.parts if isinstance(part, kind) else (part,))
    return (next(iter(flat)) if len(flat) == 1 else kind(tuple(flat))) if flat else None


def phrase(folded: str) -> Expression | None:
    """All pieces of a folded text; None where it has none."""
    return every(pieces(folded))


def marked(expression: Expression, mark: str) -> Expression:
    """The same of the tokens that begin with this mark."""
    if isinstance(expression, Piece):
        return Piece(mark + expression.token, expression.is_prefix)
    return type(expression)(tuple(marked(part, mark) for part in expression.parts))


def leaves(expression: Expression) -> Iterator[Piece]:
    if isinstance(expression, Piece):
        yield expression
    else:
        for part in expression.parts:
            yield from leaves(part)


def written(expression: Expression, leaf, both: str, either: str) -> str:
    """As text of a query language: `leaf(piece)` between the two joining words, with brackets around each group."""
    if isinstance(expression, Piece):
        return leaf(expression)
    joint = both if isinstance(expression, All) else either
    return "(" + joint.join(written(part, leaf, both, either) for part in expression.parts) + ")"
