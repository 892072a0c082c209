"""The wording of `arith`: stories, names, questions, instructions.

`{name}` and `{other}` are people, `{n}` the first amount, `{k}` the number of a
step. `part` divides by k and keeps one share; `times` multiplies by k.
"""

from __future__ import annotations

from typing import NamedTuple


class Story(NamedTuple):
    """One thing that is counted, and how its amount is told to change."""

    what: str
    verb: str
    start: tuple[str, ...]
    steps: dict[str, tuple[str, ...]]


NAMES = (
    "Ada", "Ben", "Chen", "Dina", "Emeka", "Farah", "Goran", "Hana", "Ivan", "Jun", "Kofi", "Lena", "Mateo",
    "Nora", "Omar", "Priya", "Quinn", "Rosa", "Sven", "Tara", "Uma", "Viktor", "Wendy", "Ximena", "Yusuf", "Zoe",
)  # fmt: skip

ASK = (
    "How many {what} does {name} {verb} now?",
    "How many {what} does {name} {verb} in the end?",
    "After all of this, how many {what} does {name} {verb}?",
)

BRIEF = "Reply in one or two short sentences and finish with `Answer: N`."
"""The shortest way to ask for an answer."""
INSTRUCTIONS = (
    "Think step by step, then finish with `Answer: N`, where N is a number.",
    "Work it out one step at a time. End with a line `Answer: N`, where N is the number.",
    "Show your steps briefly and finish with `Answer: N` (N is a whole number).",
    BRIEF,
)

STORIES = (
    Story(
        "apples",
        "have",
        (
            "{name} has {n} apples.",
            "There are {n} apples in {name}'s basket.",
            "{name} starts the day with {n} apples.",
        ),
        {
            "add": (
                "{name} picks {k} more apples.",
                "{other} gives {name} {k} apples.",
                "{k} more apples arrive as a present for {name}.",
            ),
            "take": (
                "{name} gives {k} apples to {other}.",
                "{name} uses {k} of the apples for a pie.",
                "{k} of the apples go bad and are thrown away.",
            ),
            "times": (
                "A good harvest makes the number of apples {k} times as large.",
                "By the next morning {name} has {k} times as many apples.",
            ),
            "part": (
                "{name} splits the apples into {k} equal piles and keeps only one pile.",
                "The apples are shared equally among {k} people, one of them {name}.",
            ),
        },
    ),
    Story(
        "dollars",
        "have",
        ("{name} has {n} dollars.", "{name}'s wallet holds {n} dollars.", "{name} begins with {n} dollars."),
        {
            "add": (
                "{name} earns {k} dollars for mowing a lawn.",
                "{other} pays back {k} dollars to {name}.",
                "{name} finds {k} dollars in a coat and adds them.",
            ),
            "take": (
                "{name} spends {k} dollars on lunch.",
                "{name} pays {other} {k} dollars.",
                "A ticket costs {name} {k} dollars.",
            ),
            "times": (
                "A lucky bet turns the money into {k} times as much.",
                "{name}'s savings grow to {k} times their size.",
            ),
            "part": (
                "{name} divides the money equally among {k} envelopes and keeps one of them, giving the others away.",
                "{name} keeps one of {k} equal shares of the money and donates the rest.",
            ),
        },
    ),
    Story(
        "stamps",
        "own",
        ("{name} owns {n} stamps.", "{name}'s album has {n} stamps in it.", "{name} collected {n} stamps last year."),
        {
            "add": (
                "At a fair {name} buys {k} more stamps.",
                "{other} mails {name} {k} new stamps.",
                "{name} discovers {k} more stamps in a drawer and keeps them.",
            ),
            "take": (
                "{name} sells {k} stamps.",
                "{name} trades away {k} stamps for a book.",
                "{k} stamps are damaged and {name} removes them.",
            ),
            "times": (
                "After joining a club {name} has {k} times as many stamps as before.",
                "An inheritance makes the collection {k} times as big.",
            ),
            "part": (
                "{name} divides the collection into {k} equal parts and keeps just one part.",
                "{name} keeps one stamp out of every {k} and gives the others to {other}.",
            ),
        },
    ),
    Story(
        "cookies",
        "have",
        ("{name} bakes {n} cookies.", "{name} has a jar with {n} cookies.", "On Monday {name} has {n} cookies."),
        {
            "add": (
                "{name} bakes {k} more cookies.",
                "{other} brings {name} {k} cookies.",
                "A neighbour drops off {k} cookies for {name}.",
            ),
            "take": (
                "{name} eats {k} cookies.",
                "{other} takes {k} of the cookies.",
                "{name} hands out {k} cookies at school.",
            ),
            "times": (
                "{name} then bakes until there are {k} times as many cookies.",
                "For a party the number of cookies is raised to {k} times what it was.",
            ),
            "part": (
                "{name} packs the cookies into {k} equal boxes and keeps one box.",
                "The cookies are shared equally by {k} friends, and {name} is one of them.",
            ),
        },
    ),
)
