"""A trial -> the order for its next attempt, and the files that its ranks read."""

from dataclasses import replace

from jack_ray.contract.files import write_text
from jack_ray.contract.trial import load_trial
from jack_ray.place.entry import Entry
from jack_ray.place.loop_settings import Settings
from jack_ray.place.news import Order


def write_files(entry: Entry, settings: Settings) -> None:
    """Write what the ranks read. A trial keeps the number of threads that it was started with."""
    trial = entry.trial
    if entry.folder.trial.exists():
        trial = entry.trial = replace(trial, threads=load_trial(entry.folder.trial).threads)
    trial.save(entry.folder.trial)
    write_text(entry.folder.config, entry.config)
    if settings.token:
        (entry.folder.path / settings.token).touch()


def order_of(entry: Entry, settings: Settings, avoid: frozenset[str], memory: int) -> Order:
    """The next attempt, away from some machines, with so many bytes for each rank (0: whatever there is)."""
    return Order(
        trial=entry.trial,
        folder=entry.folder.path,
        attempt=entry.state.attempt + 1,
        gpu=settings.gpus > 0,
        jittor_home=settings.jittor_home,
        mpi=settings.mpi,
        operators=settings.operators,
        avoid=avoid,
        memory=memory,
        storage=settings.storage,
        token=settings.token,
        lost_s=settings.lost_s,
        keep_ranks=settings.keep_ranks,
        most_bytes=settings.most_bytes,
    )
