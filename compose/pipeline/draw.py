"""Draw a pipeline as Mermaid text, which GitHub, notebooks and editors render."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from compose.pipeline.graph import Pipeline


def mermaid(pipeline: Pipeline) -> str:
    """The graph as a left-to-right Mermaid flow chart, question to answer."""
    ids = {node.id: f"n{i}" for i, node in enumerate(pipeline.plan)}
    lines = ["flowchart LR", "    question([question])", "    answer([answer])"]
    for node in pipeline.plan:
        models = "<br/>".join(_escape(m) for m in node.technique.asks())
        label = _escape(node.id) + (f"<br/>{models}" if models else "")
        lines.append(f'    {ids[node.id]}["{label}"]')
    for node in pipeline.plan:
        sources = [ids[p] for p in node.parents] or ["question"]
        lines += [f"    {source} --> {ids[node.id]}" for source in sources]
    lines += [f"    {ids[sink]} --> answer" for sink in pipeline.sinks]
    return "\n".join(lines) + "\n"


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;").replace(">", "&gt;")
