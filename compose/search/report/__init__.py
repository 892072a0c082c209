"""The report of a search: one page, self-contained, made from the result alone."""

from compose.search.report.page import render_report
from compose.search.report.sentences import sentences

__all__ = ["render_report", "sentences"]
