"""Which ids belong to hosted models, from a small table: LiteLLM itself takes seconds to import."""

from __future__ import annotations

_NAMES = """
ai21 anthropic anyscale azure azure_ai bedrock cerebras cloudflare codestral cohere cohere_chat dashscope
databricks deepinfra deepseek fireworks_ai friendliai gemini gigachat github groq hosted_vllm huggingface
hyperbolic lambda_ai litellm_proxy lm_studio mistral moonshot nebius novita nscale nvidia_nim ollama
ollama_chat openai openrouter perplexity replicate sagemaker sambanova snowflake text-completion-openai
together_ai vercel_ai_gateway vertex_ai volcengine watsonx xai zai
"""
PROVIDERS = frozenset(_NAMES.split())
"""What may stand before the slash of a hosted id, as LiteLLM names it."""

PREFIXES = ("gpt-", "chatgpt-", "o1", "o3", "o4", "claude-", "gemini-", "command-")
"""How the bare names start that LiteLLM knows without a provider."""

_EXAMPLES = ("gpt-4o-mini", "gpt-4o", "claude-haiku-4-5", "gemini/gemini-2.5-flash", "openai/gpt-4o-mini")


def is_hosted(id: str) -> bool:
    """Whether an id is LiteLLM's to answer.

    >>> is_hosted("gpt-4o-mini"), is_hosted("groq/llama-3.1-8b-instant"), is_hosted("nonsense")
    (True, True, False)
    """
    provider, slash, name = id.partition("/")
    if slash:
        return bool(name) and provider in PROVIDERS
    return id.startswith(PREFIXES)


def well_known() -> tuple[str, ...]:
    """A few ids to name the nearest of."""
    return _EXAMPLES
