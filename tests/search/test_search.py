"""A whole search over recordings: what it finds, writes, and how it survives."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from compose.errors import ConfigError, DataError, ModelError, UnknownName
from compose.evals.benchmark import Item
from compose.models.call import Caller
from compose.pipeline.files import load
from compose.search.record import NAME, read_record
from compose.search.report import render_report, sentences
from compose.search.result import SearchResult, conclude
from compose.search.search import search
from compose.search.space import Space
from compose.search.study import JOURNAL, LOCK, held
from tests.search.conftest import MODELS, Toy

ROOT = Path(__file__).resolve().parents[2]


async def found(
    data: Path, out: Path, *, budget: float | None = None, trials: int = 14, **options: Any
) -> SearchResult:
    async with Caller(data=data, budget=budget) as caller:
        return await search(Toy(), caller=caller, out=out, trials=trials, **options)


def lasting(result: SearchResult) -> dict[str, Any]:
    """The result without what the clock and the folder put in."""
    return {k: v for k, v in result.to_json().items() if k not in ("seconds", "report")}


async def test_finds_measures_and_writes(recordings: Path, tmp_path: Path) -> None:
    result = await found(recordings, tmp_path / "run")
    said = result.to_json()
    assert said["schema"] == "compose.search/1"
    assert said["best_single"]["model"] == "replay/toy/large"
    assert said["evaluated"] == said["full_evaluations"] == 14
    assert said["dev"]["n"] == said["test"]["n"] == 110
    assert said["calls"]["requested"] == said["calls"]["made"] + said["calls"]["cached"]
    assert said["calls"]["made"] <= len(MODELS) * 220
    assert said["recommended"] in ("winner", "replay/toy/large")
    assert set(said["winner"]) >= {"pipeline", "quality", "usd_per_item", "gain", "significant"}
    assert len({json.dumps(e["pipeline"]) for e in said["front"]}) == len(said["front"])
    json.dumps(said)
    names = {p.name for p in (tmp_path / "run").iterdir()}
    assert names >= {"winner.yaml", "space.yaml", "report.html", "study.journal", NAME}
    assert load(tmp_path / "run" / "winner.yaml").to_data() == said["winner"]["pipeline"]


async def test_never_the_same_twice_and_stops_when_the_space_is_used_up(recordings: Path, tmp_path: Path) -> None:
    space = Space(
        models=tuple(Toy().models()),
        answer="number",
        shapes={"single": {}, "cascade": {"length": (2,), "agree": (2,), "final": ("last",)}},
    )
    result = await found(recordings, tmp_path / "run", space=space, trials=50)
    assert result.evaluated == 10  # four models and their six pairs
    record = read_record(tmp_path / "run")
    assert len({t.measured.key for t in record.trials}) == 10


@pytest.mark.parametrize("sampler", ["random", "tpe", "nsga2"])
async def test_same_seed_same_search(recordings: Path, tmp_path: Path, sampler: str) -> None:
    first = await found(recordings, tmp_path / "a", sampler=sampler, seed=3, trials=24, limit=40)
    again = await found(recordings, tmp_path / "b", sampler=sampler, seed=3, trials=24, limit=40)
    assert lasting(first) == lasting(again)


async def test_a_record_replays_to_the_same_result_and_page(recordings: Path, tmp_path: Path) -> None:
    result = await found(recordings, tmp_path / "run")
    replayed = conclude(read_record(tmp_path / "run" / NAME))
    assert lasting(replayed) == lasting(result)
    assert render_report(tmp_path / "run") == (tmp_path / "run" / "report.html").read_text()


KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from compose.models.call import Caller
from compose.search.search import search
from tests.search.conftest import Toy
def look(progress):
    if progress.done == 9 and progress.item == 50:
        os.kill(os.getpid(), signal.SIGKILL)
async def main():
    async with Caller(data=Path(sys.argv[1])) as caller:
        await search(Toy(), caller=caller, out=Path(sys.argv[2]), trials=14, on_progress=look)
asyncio.run(main())
"""


async def test_killed_and_resumed_ends_as_if_nothing_had_been(recordings: Path, tmp_path: Path) -> None:
    whole = await found(recordings, tmp_path / "whole")
    command = [sys.executable, "-c", KILLED, str(recordings), str(tmp_path / "killed")]
    killed = await asyncio.to_thread(
        subprocess.run, command, cwd=ROOT, env={"PYTHONPATH": str(ROOT), "COMPOSE_CACHE": str(tmp_path)}, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    with (tmp_path / "killed" / "study.journal").open("ab") as journal:
        journal.write(b'{"op_code": 4, "half a li')
    resumed = await found(recordings, tmp_path / "killed", resume=True)
    assert lasting(resumed) == lasting(whole)
    pages = [(tmp_path / name / "report.html").read_text() for name in ("whole", "killed")]
    assert pages[0] == pages[1]


FULL = """
import asyncio, resource, sys
from pathlib import Path
from compose.errors import ConfigError
from compose.models.call import Caller
from compose.search.search import search
from tests.search.conftest import Toy
async def main():
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
    async with Caller(data=Path(sys.argv[1])) as caller:
        await search(Toy(), caller=caller, out=Path(sys.argv[2]), trials=14)
try:
    asyncio.run(main())
except ConfigError as error:
    print(error)
"""


async def test_a_full_disk_is_one_line_and_resumes(recordings: Path, tmp_path: Path) -> None:
    whole = await found(recordings, tmp_path / "whole")
    command = [sys.executable, "-c", FULL, str(recordings), str(tmp_path / "full")]
    env = {"PYTHONPATH": str(ROOT), "COMPOSE_CACHE": str(tmp_path)}
    said = await asyncio.to_thread(
        subprocess.run, command, cwd=ROOT, env=env, check=True, capture_output=True, text=True
    )
    assert said.stdout.startswith("cannot write to")
    assert len(said.stdout.splitlines()) == 1
    resumed = await found(recordings, tmp_path / "full", resume=True)
    assert lasting(resumed) == lasting(whole)


async def test_a_finished_search_resumes_to_itself(recordings: Path, tmp_path: Path) -> None:
    first = await found(recordings, tmp_path / "run")
    again = await found(recordings, tmp_path / "run", resume=True)
    assert lasting(again) == lasting(first)


async def test_a_used_folder_is_not_overwritten(recordings: Path, tmp_path: Path) -> None:
    await found(recordings, tmp_path / "run", trials=4)
    with pytest.raises(ConfigError, match="holds a search already"):
        await found(recordings, tmp_path / "run", trials=4)
    with pytest.raises(ConfigError, match=r"set up differently.*seed"):
        await found(recordings, tmp_path / "run", trials=4, resume=True, seed=1)


def test_a_lock_dies_with_its_process(tmp_path: Path) -> None:
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom compose.search.study import held\n"
        "with held(Path(sys.argv[1])):\n    Path(sys.argv[2]).touch()\n    time.sleep(60)\n"
    )
    sign = tmp_path / "sign"
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "run"), str(sign)], cwd=ROOT, env={"PYTHONPATH": str(ROOT)}
    )
    try:
        while not sign.exists():
            assert holder.poll() is None
            time.sleep(0.02)
        with pytest.raises(ConfigError, match="another search"), held(tmp_path / "run"):
            pass
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    with held(tmp_path / "run"):
        pass


async def test_a_budget_keeps_what_was_finished_and_leaves_room_for_test(recordings: Path, tmp_path: Path) -> None:
    free = await found(recordings, tmp_path / "free")
    assert free.usd_spent is not None
    result = await found(recordings, tmp_path / "run", budget=free.usd_spent * 0.4)
    assert result.end == "budget"
    assert result.usd_spent is not None
    assert result.usd_spent <= free.usd_spent * 0.4
    assert result.best_single is not None
    assert result.best_single.n == result.test_n
    assert (tmp_path / "run" / "report.html").exists()
    assert "budget" in " ".join(sentences(result))


async def test_too_few_items_are_said(recordings: Path, tmp_path: Path) -> None:
    result = await found(recordings, tmp_path / "run", limit=24)
    assert result.dev_n == result.test_n == 12
    assert result.too_few
    assert result.recommended == result.to_json()["best_single"]["model"]
    assert sentences(result)[0].startswith("Too few items to tell")
    assert "Too few items to tell" in (tmp_path / "run" / "report.html").read_text()


async def test_a_model_that_fails_is_listed_and_left_out(recordings: Path, tmp_path: Path) -> None:
    models = ["replay/toy/large", "replay/toy/small", "http://127.0.0.1:9/v1#gone"]
    async with Caller(data=recordings, retries=0) as caller:
        result = await search(Toy(), caller=caller, out=tmp_path / "run", models=models, trials=8, limit=20)
        assert [e["model"] for e in result.errors] == ["http://127.0.0.1:9/v1#gone"]
        assert result.best_single is not None
        with pytest.raises(ModelError):
            await search(Toy(), caller=caller, out=tmp_path / "none", models=models[2:], trials=8, limit=20)


async def test_exclude_and_its_nearest_name(recordings: Path, tmp_path: Path) -> None:
    result = await found(recordings, tmp_path / "run", exclude=["large"], trials=6)
    assert result.to_json()["best_single"]["model"] == "replay/toy/middle"
    with pytest.raises(UnknownName) as caught:
        await found(recordings, tmp_path / "other", exclude=["larg"])
    assert caught.value.nearest == "large"


async def test_dry_run_calls_nothing(recordings: Path, tmp_path: Path) -> None:
    async with Caller(data=recordings) as caller:
        result = await search(Toy(), caller=caller, out=tmp_path / "run", dry_run=True)
        assert caller.spent == 0
    assert not (tmp_path / "run").exists()
    assert result.to_json()["estimate"]["calls"] == 4 * 110


def test_what_is_no_record_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no search record"):
        read_record(tmp_path)
    file = tmp_path / NAME
    file.write_bytes(b"not gzip")
    with pytest.raises(DataError, match="not a search record"):
        read_record(file)


async def test_the_front_is_a_table(recordings: Path, tmp_path: Path) -> None:
    pytest.importorskip("pandas", reason="needs pandas")
    result = await found(recordings, tmp_path / "run")
    table = result.to_pandas()
    assert len(table) == len(result.front)
    assert set(table.columns) >= {"pipeline", "quality", "usd_per_item"}


async def test_the_sampler_sees_what_the_portfolio_tried(recordings: Path, tmp_path: Path) -> None:
    await found(recordings, tmp_path / "run")
    storage = JournalStorage(JournalFileBackend(str(tmp_path / "run" / JOURNAL)))
    study = optuna.load_study(study_name="search", storage=storage)
    kept = [trial for trial in study.trials if "trial" in trial.user_attrs]
    assert len(kept) == 14
    assert all("shape" in trial.params for trial in kept)


async def test_a_resumed_search_is_on_the_same_questions_targets_and_marks(recordings: Path, tmp_path: Path) -> None:
    class Edited(Toy):
        def read(self) -> Iterator[Item]:
            yield from (msgspec.structs.replace(item, target="0") for item in super().read())

    class Lenient(Toy):
        scoring = "contains"

    await found(recordings, tmp_path / "run", trials=4)
    for other in (Edited(), Lenient()):
        async with Caller(data=recordings) as caller:
            with pytest.raises(ConfigError, match=r"set up differently \(items\)"):
                await search(other, caller=caller, out=tmp_path / "run", trials=4, resume=True)


async def test_what_a_search_writes_follows_no_link(recordings: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("mine", encoding="utf-8")
    (tmp_path / "run").mkdir()
    for name in ("winner.yaml", "space.yaml", "report.html", NAME):
        (tmp_path / "run" / name).symlink_to(precious)
    await found(recordings, tmp_path / "run", trials=4, limit=8)
    assert precious.read_text(encoding="utf-8") == "mine"
    for name in ("calls.log", JOURNAL, LOCK):
        folder = tmp_path / name
        folder.mkdir()
        (folder / name).symlink_to(precious)
        with pytest.raises(ConfigError, match="link"):
            await found(recordings, folder, trials=4, limit=8)
    assert precious.read_text(encoding="utf-8") == "mine"
