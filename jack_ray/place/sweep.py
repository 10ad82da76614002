"""A checked plan -> a finished sweep: opens the search, the hands and the tracker, and runs the control loop."""

import fcntl
import os
import secrets
import shlex
import shutil
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from jack_ray.compose import Plan
from jack_ray.compose.schema import num_ranks, operators
from jack_ray.contract.errors import PlaceError
from jack_ray.contract.files import write_json
from jack_ray.contract.paths import SweepFolder, sweep_folder
from jack_ray.contract.status import SweepStatus
from jack_ray.expand import open_search
from jack_ray.place.board import Board
from jack_ray.place.entry import Entry, Goal
from jack_ray.place.inline import InlineHands
from jack_ray.place.loop_settings import Outlets, Settings
from jack_ray.place.news import Hands, Need
from jack_ray.place.ray_environment import ray_variables
from jack_ray.place.retire import retire
from jack_ray.place.run import Controller
from jack_ray.place.screen import Screen
from jack_ray.place.tracker import WriterTracker
from jack_ray.spawn.folder_shelf import FolderShelf
from jack_ray.upload import Delivery, NoWriter, SweepStarted, Writer, absolute_uri, check_uri
from jack_ray.upload.notice import experiment
from jack_ray.upload.protocol import Ending
from jack_ray.upload.uri import runs_page


def runs_of(plan: Plan) -> Path:
    """The folder of trials and sweeps."""
    return Path(plan.base.site.runs)


def need_of(plan: Plan) -> Need:
    """What a trial takes."""
    cluster = plan.base.cluster
    nodes = cluster.nodes_per_trial
    if cluster.kind == "inline" or cluster.address is None:
        nodes = 1  # not "as few as hold it"
    return Need(
        ranks=num_ranks(cluster, plan.base.mpi),
        cpus_per_rank=cluster.cpus_per_rank,
        gpus=cluster.gpus_per_trial,
        nodes=nodes,
        placement=cluster.placement,
    )


def run_sweep(plan: Plan) -> int:
    """Run every trial; 0 when all ended well, 1 when one failed, 130 when interrupted.

    Raises PlaceError when no machine can hold a trial or the sweep runs already.
    """
    folder = sweep_folder(runs_of(plan), plan.sweep_id)
    uri = absolute_uri(plan.base.tracking.uri)
    if plan.base.tracking.kind == "mlflow":
        check_uri(uri)
    _make_writable(runs_of(plan))
    if plan.base.fresh:
        retire(folder.path, folder.lock)
    with _locked(folder):
        write_json(folder.sweep, {"id": plan.sweep_id, "typed": plan.typed, "folder": os.getcwd()})
        writer = Writer(folder) if plan.base.tracking.kind == "mlflow" else NoWriter()
        writer.warm()
        try:
            hands = _hands(plan, folder)
        except BaseException:
            writer.discard()
            raise
        try:
            return _run(plan, folder, hands, writer, uri)
        finally:
            hands.close()


def _run(plan: Plan, folder: SweepFolder, hands: Hands, writer: Writer | NoWriter, uri: str) -> int:
    goal = Goal(*plan.goal)
    search = open_search(plan.base.sweep, folder.journal, goal.metric, plan.goal[1], plan.base.more)
    writer.start(_sweep_started(plan, goal, uri))
    screen = Screen(goal, search.total(), plan.base.cluster.wait_s)
    if search.notice:
        screen.say(search.notice)
    gpus = plan.base.cluster.gpus_per_trial
    tracker = WriterTracker(writer, gpus)
    board = Board(folder, _status(plan, goal, uri, search.total()), gpus)
    controller = Controller(search, hands, plan.trial, _settings(plan), Outlets(tracker, screen, board))
    entries: list[Entry] = []
    try:
        entries = controller.run()
    finally:
        screen.close()
        failed = any(entry.state.status == "failed" for entry in entries)
        was_cut = bool(controller.interrupted or controller.stopped or not entries)
        ended: Ending = "killed" if was_cut else "failed" if failed else "finished"
        delivery = writer.close(ended, meanwhile=hands.close)
    screen.result(entries)
    if plan.base.sweep.repeats:
        screen.spreads(entries)
    for refused in controller.refused:
        screen.say(f"Not run: {refused}")
    if controller.stopped:
        screen.say(f"The sweep ends here: {controller.stopped}. The same command goes on with it.")
    elif unknown := _unknown_metric(entries, goal):
        screen.say(unknown)
    _say_where(plan, screen, folder, uri, delivery)
    if controller.interrupted:
        return 130
    return 1 if failed or controller.refused else 0


def _unknown_metric(entries: Sequence[Entry], goal: Goal) -> str:
    """What to say of a metric that no evaluation told of; empty if one did."""
    told = {name for entry in entries for name in entry.latest if not name.startswith("train/")}
    if not told or any(entry.best is not None for entry in entries):
        return ""
    return f"No evaluation told of {goal.metric}, so no trial is the best. They told of {', '.join(sorted(told))}."


def _settings(plan: Plan) -> Settings:
    base = plan.base
    is_remote = base.cluster.kind == "ray" and base.cluster.address is not None
    return Settings(
        runs=runs_of(plan),
        jittor_home=Path(base.site.jittor),
        mpi=base.mpi,
        retry=base.retry,
        gpus=base.cluster.gpus_per_trial,
        max_concurrent=base.sweep.max_concurrent,
        fresh=base.fresh,
        operators=operators(base.method),
        storage=base.site.storage if is_remote else None,
        token=f".driver-{secrets.token_hex(8)}" if is_remote else "",
        lost_s=base.cluster.lost_s,
        keep_ranks=base.cluster.keep_ranks,
        most_bytes=int(base.site.jittor_gb * 1e9),
        max_hours=base.sweep.max_hours,
        max_gpu_hours=base.sweep.max_gpu_hours,
        priority=base.sweep.priority,
    )


def _status(plan: Plan, goal: Goal, uri: str, total: int) -> SweepStatus:
    """What stays the same in the sweep's status file."""
    now = time.time()
    return SweepStatus(
        id=plan.sweep_id,
        name=_name(plan),
        state="running",
        typed=plan.typed,
        folder=os.getcwd(),
        metric=goal.metric,
        mode=goal.mode,
        driver_host=socket.gethostname(),
        driver_pid=os.getpid(),
        total=total,
        began=now,
        changed=now,
        need=f"{need_of(plan)} {need_of(plan).where()}",
        priority=plan.base.sweep.priority,
        experiment=plan.base.tracking.experiment,
        uri=uri,
    )


def _sweep_started(plan: Plan, goal: Goal, uri: str) -> SweepStarted:
    tracking = plan.base.tracking
    return SweepStarted(
        sweep_id=plan.sweep_id,
        name=_name(plan),
        command=shlex.join(["python", "-m", "jack_ray.launch", *plan.typed]),
        uri=uri,
        experiment=tracking.experiment,
        metric=goal.metric,
        mode="max" if goal.mode == "max" else "min",
        flush_s=tracking.flush_s,
        give_up_s=tracking.give_up_s,
        upload_checkpoints=tracking.upload_checkpoints,
        repeats=plan.base.sweep.repeats,
        tags={"jack_ray.method": plan.base.method, "jack_ray.strategy": plan.base.sweep.strategy},
    )


def _name(plan: Plan) -> str:
    """For people: `tsl tpe+asha train.lr`, or `tsl` for a single trial."""
    strategy, stopper = plan.base.sweep.strategy, plan.base.sweep.stopper
    swept = (
        [strategy if stopper == "none" else f"{strategy}+{stopper}", *plan.base.sweep.over]
        if strategy != "none"
        else []
    )
    return " ".join([plan.base.method, *swept])


def _hands(plan: Plan, folder: SweepFolder) -> Hands:
    if plan.base.cluster.kind == "inline":
        return InlineHands()
    os.environ |= ray_variables(plan.base.cluster.address)  # Ray reads them while it is imported
    from jack_ray.place.on_ray import RayHands

    storage = plan.base.site.storage
    shelf = FolderShelf(storage) if storage is not None and plan.base.cluster.address is not None else None
    return RayHands(plan.base.cluster, need_of(plan), folder.path, shelf)


def _make_writable(runs: Path) -> None:
    try:
        runs.mkdir(parents=True, exist_ok=True)
        probe = runs / f".probe-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise PlaceError(f"site.runs={runs} cannot be written to ({error.strerror}). Type site.runs=FOLDER.") from error


@contextmanager
def _locked(folder: SweepFolder) -> Iterator[None]:
    folder.path.mkdir(parents=True, exist_ok=True)
    with folder.lock.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise PlaceError(
                f"This sweep ({folder.path.name}) is already running, started by process {lock.read() or '?'}. "
                "Wait for it, or stop it with Ctrl-C there."
            ) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def _say_where(plan: Plan, screen: Screen, folder: SweepFolder, uri: str, delivery: Delivery) -> None:
    screen.say(f"\nCheckpoints, logs and pictures: {runs_of(plan) / 'trials'}")
    if plan.base.tracking.kind == "none":
        return
    if delivery.message:
        screen.say(delivery.message)
    store = "" if uri == f"sqlite:///{Path.cwd() / 'mlflow.db'}" else f" --backend-store-uri {uri}"
    program = "mlflow" if shutil.which("mlflow") else str(Path(sys.executable).parent / "mlflow")
    where = uri if uri.startswith("http") else "http://127.0.0.1:5000"
    how = "open" if uri.startswith("http") else f"type `{program} ui{store}` in {Path.cwd()}, then open"
    known = experiment(folder.tracking, uri)
    page = runs_page(where, known) if known is not None else f"{where}, experiment {plan.base.tracking.experiment}"
    screen.say(f"Compare the runs: {how}\n{page}")
