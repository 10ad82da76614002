"""Whether a trial keeps features of a frozen backbone, and where."""

import socket
from collections.abc import Callable
from pathlib import Path

from jack_ray.methods.shared.clip_network_config import ClipNetworkConfig, keeps_features, why_not_kept
from jack_ray.methods.shared.clips_config import DataConfig
from jack_ray.methods.shared.kept_features import FrozenPart
from jack_ray.train.feature_folder import Counts, FeatureFolder, Store
from jack_ray.train.method import Settings
from jack_ray.train.ranks import Ranks


def shelf_of(
    model: object,
    settings: Settings,
    ranks: Ranks,
    tell: Callable[[str], None] | None = None,
    store: Store | None = None,
) -> FeatureFolder | None:
    """Where the features of a model's frozen part are kept; None if they are not. Called on all ranks.

    The model must have the weights that it keeps. On each machine one rank sees to the bound. tell: is told what is
    in the way where one would expect features to be kept. store: through which they travel between machines.
    """
    config, data = settings.model, settings.data
    if not (isinstance(config, ClipNetworkConfig) and isinstance(data, DataConfig) and isinstance(model, FrozenPart)):
        return None
    if not keeps_features(config, data):
        reason = why_not_kept(config, data)
        if reason and tell is not None:
            tell(reason)
        return None
    hosts = ranks.gather(socket.gethostname())
    makes_room = hosts.index(hosts[ranks.rank]) == ranks.rank
    limit = int(data.feature_cache_gb * 1e9)
    frozen = model.frozen_identity()
    shelf = FeatureFolder(Path(data.feature_folder), limit, frozen, makes_room, len(hosts), store=store)
    shelf.make_room()
    return shelf


def told_of_all(shelf: FeatureFolder, ranks: Ranks) -> str:
    """What all ranks' shelves did, in a line for people. Called on all ranks, at the end."""
    shelf.make_room()
    counts = sum(ranks.gather(shelf.counts), Counts())
    if ranks.is_main and counts.made:
        shelf.make_room_in_store()
    problems = set(ranks.gather(shelf.problem))
    return "; ".join([counts.told(shelf.folder), *sorted(problem for problem in problems if problem)])
