"""The study: what was tried, kept so that a killed search goes on where it was.

Optuna's journal file in the search's folder holds every trial; a finished one is
on disk before the next begins. A folder is held by one search at a time through
a lock that the operating system lets go of when the process dies.

The sampler is made anew for every trial, seeded by the search's seed and the
number of finished trials. What it proposes thus depends on what is stored and
on nothing else, which makes a resumed search propose what an uninterrupted one
would have.
"""

from __future__ import annotations

import contextlib
import logging
import os
from typing import TYPE_CHECKING, Any

import msgspec

from compose.errors import ConfigError, missing_extra
from compose.registry import find
from compose.search.record import Setup, Trial
from compose.search.tally import LOG

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path
    from types import ModuleType

    from optuna.trial import Trial as Asked

JOURNAL = "study.journal"
LOCK = ".search.lock"


def import_optuna() -> ModuleType:
    """Optuna, silent. Raises `ConfigError` with the install line where it is missing."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # its GP is slower with more
    try:
        import optuna
    except ImportError as error:
        raise missing_extra("optuna", "search", "search") from error
    optuna.logging.set_verbosity(logging.ERROR)
    return optuna


@contextlib.contextmanager
def held(out: Path) -> Generator[None]:
    """Hold a search's folder, made if it is not there.

    Raises `ConfigError` if another search holds it, if it cannot be written, or
    if one of the files that a search adds to is a link: it would write elsewhere.
    """
    for name in (LOCK, JOURNAL, LOG):
        if (out / name).is_symlink():
            raise ConfigError(f"{out / name} is a link", hint="remove it, or choose another --out")
    try:
        import fcntl
    except ImportError:  # Windows: no advisory locks, the journal's own lock is all there is
        out.mkdir(parents=True, exist_ok=True)
        yield
        return
    try:
        out.mkdir(parents=True, exist_ok=True)
        handle = (out / LOCK).open("a+")
    except OSError as error:
        raise ConfigError(
            f"folder {str(out)!r} cannot be written: {error.strerror}", hint="choose another --out"
        ) from error
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ConfigError(
                f"another search is running in {str(out)!r}", hint="wait for it, or choose another --out"
            ) from error
        yield


class Study:
    """The trials of one search. Made by `open_study`."""

    def __init__(self, optuna: ModuleType, study: Any, setup: Setup) -> None:
        self._optuna = optuna
        self._study = study
        self._setup = setup
        self.trials: list[Trial] = self._read()

    def ask(self, params: dict[str, Any] | None, *, random: bool = False) -> Asked:
        """The next trial: with these choices, or those of the sampler (`random`: drawn blindly)."""
        name = "random" if random or params is not None else self._setup.sampler
        seed = (self._setup.seed * 1_000_003 + 7919 * len(self.trials) + self.repeats()) % 2**31
        self._study.sampler = find("samplers", name)(self._optuna, seed)
        if params is not None:
            self._study.enqueue_trial(params)
        return self._study.ask()

    def keep(self, asked: Asked, trial: Trial, values: Sequence[float]) -> None:
        """Store a finished trial: on disk when this returns."""
        asked.set_user_attr("trial", msgspec.json.encode(trial).decode())
        self._study.tell(asked, list(values))
        self.trials.append(trial)

    def repeat(self, asked: Asked, values: Sequence[float]) -> None:
        """Tell the sampler what is known of a pipeline that it proposed again."""
        self._study.tell(asked, list(values))

    def repeats(self) -> int:
        """Proposals since the last kept trial that were known already."""
        count = 0
        for trial in reversed(self._study.get_trials(deepcopy=False)):
            if trial.state.name == "COMPLETE" and "trial" in trial.user_attrs:
                break
            count += trial.state.name == "COMPLETE"
        return count

    def _read(self) -> list[Trial]:
        kept: list[Trial] = []
        for trial in self._study.get_trials(deepcopy=False):
            if not trial.state.is_finished():
                self._study._storage.set_trial_state_values(trial._trial_id, state=self._optuna.trial.TrialState.FAIL)
            elif trial.state.name == "COMPLETE" and "trial" in trial.user_attrs:
                kept.append(msgspec.json.decode(trial.user_attrs["trial"], type=Trial))
        return kept


def open_study(out: Path, setup: Setup, *, resume: bool) -> Study:
    """Begin a study in a folder that the caller holds, or go on with the one that lies there.

    Raises `ConfigError` where a study lies there and `resume` is not asked for,
    and where the one that lies there was set up differently.
    """
    optuna = import_optuna()
    path = out / JOURNAL
    if path.exists() and path.stat().st_size and not resume:
        raise ConfigError(
            f"folder {str(out)!r} holds a search already", hint="--resume goes on with it, another --out begins anew"
        )
    _cut_half_line(path)
    backend = optuna.storages.journal.JournalFileBackend(str(path), lock_obj=_Held())
    storage = optuna.storages.JournalStorage(backend)
    study = optuna.create_study(
        storage=storage, study_name="search", directions=["maximize", "minimize"], load_if_exists=True
    )
    text = msgspec.json.encode(setup).decode()
    before: str | None = study.user_attrs.get("setup")
    if before is None:
        study.set_user_attr("setup", text)
    elif before != text:
        raise ConfigError(
            f"the search in {str(out)!r} was set up differently ({_difference(before, setup)})",
            hint="use the same options, or another --out",
        )
    return Study(optuna, study, setup)


def _difference(before: str, now: Setup) -> str:
    old = msgspec.json.decode(before)
    new = msgspec.json.decode(msgspec.json.encode(now))
    return ", ".join(sorted(name for name in {*old, *new} if old.get(name) != new.get(name)))


def _cut_half_line(path: Path) -> None:
    """Drop what a killed writer left of its last line."""
    if path.exists() and (data := path.read_bytes()) and not data.endswith(b"\n"):
        with path.open("r+b") as file:
            file.truncate(data.rfind(b"\n") + 1)


class _Held:
    """In place of the journal's own lock, which outlives a killed process: the folder is held already."""

    def acquire(self) -> bool:
        """Held since before the journal was opened."""
        return True

    def release(self) -> None:
        """Held until the search is over."""
