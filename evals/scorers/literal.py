"""Right if the answer is the target literal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from compose.evals.scorers.exact import Exact

if TYPE_CHECKING:
    from compose.pipeline.answer import Kind


class Literal(Exact):
    """1 for an answer that equals the target as a literal."""

    kind: Kind = "literal"
