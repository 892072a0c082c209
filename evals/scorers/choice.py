"""Right if the chosen letter or label is the target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from compose.evals.scorers.exact import Exact

if TYPE_CHECKING:
    from compose.pipeline.answer import Kind


class Choice(Exact):
    """1 for the right letter or label."""

    kind: Kind = "choice"
