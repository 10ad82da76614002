"""The config nodes that belong to no method: what each setting means. The values are in `conf/`."""

from dataclasses import dataclass
from typing import Literal

from jack_ray.contract.settings import setting


@dataclass(frozen=True)
class TrainConfig:
    """`train`: how a method is trained. Everything here but the last five changes the numbers."""

    optimizer: Literal["adam", "sgd"] = setting("update rule, with PyTorch's formulas")
    lr: float = setting("learning rate; a method may give parts of the model a multiple of it", gt=0)
    schedule: Literal["constant", "multistep", "cosine"] = setting("how the learning rate changes over the steps")
    milestones: tuple[int, ...] = setting(
        "multistep: steps at which the rate is multiplied by gamma", unit="steps", ge=1
    )
    gamma: float = setting("multistep: the factor", gt=0, le=1)
    warmup_steps: int = setting("steps over which the rate rises linearly from 0", unit="steps", ge=0)
    betas: tuple[float, float] = setting("adam: decay of the two moment estimates", ge=0, lt=1)
    eps: float = setting("adam: added to the root of the second moment, after bias correction", gt=0)
    momentum: float = setting("sgd: momentum", ge=0, lt=1)
    nesterov: bool = setting("sgd: Nesterov's form of momentum")
    weight_decay: float = setting("L2 penalty added to the gradient; only of parameters that have one", ge=0)
    clip_norm: float | None = setting("largest norm of the whole gradient; null leaves it", gt=0)
    batch: int = setting("samples of one step over all ranks; must divide among them", unit="samples", ge=1)
    parts: int = setting(
        "a rank's samples of a step are computed in so many parts, one after the other, for less memory; normalisation "
        "then knows a part's samples only. 1: all at once. TSL-Net computes each sample by itself anyhow",
        ge=1,
    )
    kernels: Literal["auto", "plain"] = setting(
        "auto: processors compute with jack_ray's own kernels. plain: with Jittor's operators alone, slower"
    )
    precision: Literal["float32", "bfloat16"] = setting(
        "bfloat16: convolutions multiply numbers of 3 digits, and add them up in float32; needs a processor that can"
    )
    steps: int = setting("optimiser steps", unit="steps", ge=1)
    evaluate_every: int = setting("steps between evaluations, each on all samples of `select_on`", unit="steps", ge=1)
    select_on: Literal["val", "test"] = setting(
        "the split on which the best checkpoint is chosen; test is what TSL300's code does, and is tagged so"
    )
    metric: str = setting("the evaluation's number by which the best checkpoint is chosen")
    mode: Literal["max", "min"] = setting("whether more of the metric is better")
    test_at_end: bool = setting("score the best checkpoint on the test split when training ends")
    seed: int = setting("all randomness: initial weights, order, dropout, annotator, split", ge=0)
    on_unreadable: Literal["stop", "skip"] = setting(
        "what a damaged sample does. stop: ends the trial. skip: is told once; training takes the next sample in its "
        "place, evaluation leaves it out"
    )
    weights: str | None = setting("file with weights to start from (.safetensors, .pth or .pkl); null: random")
    checkpoint_every: int = setting("steps between checkpoints that training can go on from", unit="steps", ge=1)
    keep_checkpoints: int = setting("how many of the latest checkpoints stay on disk; the best one always stays", ge=1)
    log_every: int = setting("steps between two entries of the training loss", unit="steps", ge=1)
    prefetch: int = setting("samples of a rank read ahead, also of later steps; 0: none", unit="samples", ge=0)
    workers: int = setting("threads of a rank that read samples at the same time", unit="threads", ge=1)


@dataclass(frozen=True)
class SweepConfig:
    """`sweep`: which trials there are. `over` speaks Hydra's sweep grammar."""

    strategy: Literal["none", "grid", "random", "qmc", "tpe", "gp", "cmaes", "pbt"] = setting(
        "none: one trial. grid: every combination. The others draw `num_trials` points: random, qmc (evenly spread), "
        "or near those that did well: tpe, gp, cmaes. pbt: `population` trainings that copy from each other"
    )
    over: dict[str, str] = setting(  # noqa: RUF009  (it makes a field, as dataclasses.field does)
        "setting -> choice(..), range(..), interval(..), tag(log, interval(..)) or a,b,c"
    )
    num_trials: int = setting(
        "random, qmc, tpe, gp, cmaes: how many points to draw; `more=20` adds to them", unit="trials", ge=1
    )
    seed: int = setting("seed of the drawing of points", ge=0)
    repeats: bool = setting(
        "the trials are repeats of one experiment (folds, seeds): their mean and standard deviation are shown"
    )
    metric: str | None = setting(
        "the number by which trials are compared, as it is reported at evaluations: val/macro_F1; "
        "null: train.metric on train.select_on"
    )
    mode: Literal["max", "min"] | None = setting("whether more of `metric` is better; null: train.mode")
    stopper: Literal["none", "asha", "hyperband", "median", "patient"] = setting(
        "which trials are stopped early. asha, hyperband: all but one in `reduction_factor` at each rung. "
        "median: those below the median. patient: those that no longer improve"
    )
    min_steps: int = setting("stopper: no trial is stopped before this many steps", unit="steps", ge=1)
    max_steps: int = setting(
        "hyperband, pbt: steps of a whole training; also what `patience` is a fifth of", unit="steps", ge=1
    )
    reduction_factor: int = setting("asha, hyperband: one in this many goes on at each rung", ge=2)
    warmup_trials: int = setting("median: nothing is stopped before so many trials have finished", unit="trials", ge=1)
    patience: int | None = setting(
        "patient: steps without a better evaluation; null: a fifth of a trial's", unit="steps", ge=1
    )
    population: int = setting("pbt: trainings side by side", unit="members", ge=2)
    interval: int = setting("pbt: steps between two comparisons of a member with the others", unit="steps", ge=1)
    quantile: float = setting("pbt: the part of the members that is replaced, and that of those copied", gt=0, le=0.5)
    resample: float = setting(
        "pbt: probability of drawing a setting of a copy anew; else it is multiplied by 1.2 or 0.8, or moves to a "
        "neighbour in its list",
        ge=0,
        le=1,
    )
    max_concurrent: int | None = setting("trials that run at the same time; null: as many as there is room for", ge=1)
    max_hours: float | None = setting(
        "wall time of one launch; then its trials are stopped after a checkpoint, and the same command goes on",
        unit="hours",
        gt=0,
    )
    max_gpu_hours: float | None = setting("GPU time of all trials of the sweep together", unit="GPU hours", gt=0)
    priority: int = setting("of several sweeps on one cluster, trials of the one with the higher number start first")


@dataclass(frozen=True)
class ClusterConfig:
    """`cluster`: where trials run. Nothing here but `ranks` changes a trial's numbers."""

    kind: Literal["ray", "inline"] = setting(
        "ray: actors on a Ray cluster. inline: children of this process, one after the other"
    )
    address: str | None = setting(
        "null: a Ray of this machine alone; auto, host:port or ray://host:port: a running one"
    )
    ranks: int | None = setting(
        "processes of a trial; null: one a GPU; without GPUs 2 where there are 2 cores, else 1", unit="ranks", ge=1
    )
    nodes_per_trial: int | None = setting(
        "machines that a trial is spread over; null: as few as hold it (pack), as many as there are (spread)", ge=1
    )
    placement: Literal["pack", "spread"] = setting(
        "pack: a trial's ranks as close together as they fit. spread: the same number on each machine"
    )
    cpus_per_rank: int = setting("processor cores of a rank, and the threads it computes with", unit="cores", ge=1)
    gpus_per_trial: float = setting(
        "GPUs of a trial, one a rank; a part of one, such as 0.25, for small models that share it; 0: processors",
        unit="GPUs",
        ge=0,
    )
    keep_ranks: bool = setting(
        "a trial's ranks stay for the next trial of the sweep, which begins at once; false: started anew for each"
    )
    autoscaling: bool = setting("the cluster starts machines on demand: what fits nowhere now is waited for")
    lost_s: float = setting(
        "a machine, a trial or a driver that was not heard of for so long is given up, and what it ran is ended",
        unit="s",
        ge=2,
    )
    wait_s: float = setting(
        "without a terminal: seconds between two lines about a trial that waits or compiles", unit="s", gt=0
    )


@dataclass(frozen=True)
class MpiConfig:
    """`mpi`: how the ranks of a trial are started and watched."""

    kind: Literal["openmpi", "none"] = setting("openmpi: mpirun. none: one rank, started without MPI")
    timeout_s: float = setting(
        "a rank without a sign of life for so long hangs; the first compilation counts as life", unit="s", gt=0
    )
    interface: str | None = setting(
        "network between machines: 10.0.0.0/16, or names such as eth0,ib0; null: that of each machine's Ray address"
    )
    stop_s: float = setting("time for the ranks to end by themselves before they are killed", unit="s", gt=0)


@dataclass(frozen=True)
class RetryConfig:
    """`retry`: what happens to a trial that failed. It goes on from its last checkpoint; data errors are final."""

    infra: int = setting(
        "attempts more after what is not the trial's fault: a machine or process lost, killed, hanging, a full disk",
        ge=0,
    )
    user: int = setting("attempts more after an error of the code that trains", ge=0)
    memory: int = setting("attempts more after running out of memory, each with twice the room", ge=0)
    wait_s: float = setting("before the first attempt more; doubled with each, up to 5 minutes", unit="s", ge=0)
    bad_node: int = setting("a machine on which so many attempts of the sweep were lost is left out", ge=1)


@dataclass(frozen=True)
class TrackingConfig:
    """`tracking`: where runs are compared."""

    kind: Literal["mlflow", "none"] = setting("mlflow: one run a trial, nested in the sweep's. none: files only")
    uri: str = setting("an MLflow server (http://..) or a store (sqlite:///absolute/path)")
    backend: str = setting("where `make mlflow-server` keeps its tables: sqlite:///file or postgresql://..")
    experiment: str = setting("MLflow experiment that holds the runs")
    flush_s: float = setting(
        "seconds between two deliveries to MLflow; more where one takes over a twentieth of that in computing",
        unit="s",
        gt=0,
    )
    give_up_s: float = setting("at the end: how long to go on trying when MLflow cannot be reached", unit="s", ge=0)
    upload_checkpoints: bool = setting("upload the best and the last checkpoint as artifacts")


@dataclass(frozen=True)
class SiteConfig:
    """`site`: where things lie on this machine."""

    data: str = setting("folder of the data sets")
    runs: str = setting("folder of trials and sweeps: checkpoints, logs, journal")
    storage: str | None = setting(
        "folder or object store (s3://bucket/folder) through which checkpoints and kept features pass between machines "
        "that do not share `runs`; null: they share it"
    )
    jittor: str = setting("home of Jittor's compiled operators; shared by all trials of a machine")
    jittor_gb: float = setting("bound of `jittor`; what was not used for the longest time goes first", unit="GB", ge=1)
    features: str = setting("folder of kept features of frozen backbones (data.feature_cache), shared by all sweeps")
    features_gb: float = setting(
        "what this folder may hold, and those in `storage`; the oldest go first", unit="GB", gt=0
    )
