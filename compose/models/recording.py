"""A set of recorded outputs: the files that `replay/SET/MODEL` answers from.

    SET/items.jsonl.gz     id, prompt (or messages, question, instruction), target
    SET/records.jsonl.gz   id, model, output, prompt_tokens, completion_tokens, sample
    SET/models.json        model -> input_usd_per_mtok, output_usd_per_mtok, price_source
"""
