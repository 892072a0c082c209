"""Every technique that ships passes the suite that ships."""

import pytest

import compose as c
from compose.pipeline.node import Technique
from compose.registry import BUILT_IN, find
from compose.techniques.best_of import BestOf
from compose.techniques.cascade import Cascade
from compose.techniques.critique import Critique
from compose.techniques.ensemble import Ensemble
from compose.techniques.fuse import Fuse
from compose.techniques.generate import Generate
from compose.techniques.rank import Rank
from compose.techniques.verify import Verify
from compose.techniques.vote import Vote
from compose.testing.technique import MODEL, TechniqueCase
from compose.types import State


class TestGenerate(TechniqueCase):
    technique = Generate(MODEL, n=2, system="Be brief.")


class TestEnsemble(TechniqueCase):
    technique = Ensemble([MODEL, MODEL], n=2)


class TestVote(TechniqueCase):
    technique = Vote(answer="number")


class TestBestOf(TechniqueCase):
    technique = BestOf(MODEL, keep=2)


class TestRank(TechniqueCase):
    technique = Rank(MODEL, keep=2)


class TestFuse(TechniqueCase):
    technique = Fuse(MODEL, n=2)

    async def test_no_candidates_are_survived(self) -> None:
        """With nothing to fuse it asks nobody."""
        result, ledger, notes = await self.run_on(State.ask("x"))
        assert (result.candidates, ledger.calls) == ((), 0)
        assert notes == ["there were no candidates to fuse"]


class TestCritique(TechniqueCase):
    technique = Critique(MODEL)


class TestVerify(TechniqueCase):
    technique = Verify(MODEL, first_k=1)


class TestCascade(TechniqueCase):
    technique = Cascade([MODEL, MODEL, MODEL], agree=2)


async def _same(state: State, ctx: object) -> State:
    return state


c.node(_same)


class TestNode(TechniqueCase):
    technique = find("techniques", "node")(function=f"{__name__}._same")


def test_no_technique_is_left_out() -> None:
    tested = {case.technique.name() for case in TechniqueCase.__subclasses__()}
    assert tested == set(BUILT_IN["techniques"])


@pytest.mark.parametrize("name", BUILT_IN["techniques"])
def test_the_tag_is_the_name_in_the_registry(name: str) -> None:
    cls = find("techniques", name)
    assert issubclass(cls, Technique)
    assert cls.name() == name
