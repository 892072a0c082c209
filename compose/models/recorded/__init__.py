"""Reads recorded sets: prompts, the answers of several models, their prices.

The forms that are read: `output` per item and model (one or several samples, of
one or several settings), re-reading tables (`read_times`, `method`), and
multi-sample cascades (`answers` of every sample, the text of the first). What
the forms differ in becomes part of the model's name: `gpt-4o-mini/vanilla`,
`gpt-4/cot1/t0.8`.
"""

from compose.models.recorded.answers import Answer
from compose.models.recorded.recorded import TWICE, Recorded, open_set

__all__ = ["TWICE", "Answer", "Recorded", "open_set"]
