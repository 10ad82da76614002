"""What was typed after `jack_ray.serve` -> checked settings."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jack_ray.apply.request import read_words
from jack_ray.contract.errors import ConfigError, Fault
from jack_ray.serving.access import is_loopback
from jack_ray.upload import absolute_uri

OWN = {
    "model": "", "host": "127.0.0.1", "port": "8000", "auth": "token", "token_file": "", "open_to_all": "false",
    "hosts": "", "replicas": "1", "threads": "", "batch": "8", "inputs": "", "max_mb": "2048", "max_waiting": "64",
    "upload_s": "600", "stall_s": "20", "answer_s": "900", "memory_gb": "8", "drain_s": "60", "poll_s": "5",
    "window_s": "10", "max_s": "14400",
}  # fmt: skip
PLACES = ("site", "tracking", "cluster")
_MODEL = re.compile(r"models:/([A-Za-z0-9][A-Za-z0-9_. -]*)(?:@([A-Za-z][A-Za-z0-9_-]*)|/([1-9]\d*))")
_WHOLE = {"port": (0, 65535), "replicas": (1, 1000), "batch": (1, 256), "max_waiting": (1, 10000)}
_NUMBERS = {
    "max_mb": (0.001, 1e6), "upload_s": (1.0, 1e5), "stall_s": (0.1, 1e4), "answer_s": (0.1, 1e5),
    "memory_gb": (0.1, 1e4), "drain_s": (0.0, 1e5), "poll_s": (0.1, 1e5), "window_s": (0.1, 1e5),
    "max_s": (1.0, 1e6),
}  # fmt: skip
"""Least and most of each."""


@dataclass(frozen=True)
class Settings:
    """A server that is to be started."""

    model: str
    """models:/NAME@ALIAS or models:/NAME/VERSION"""
    name: str
    alias: str
    """Empty where a version was typed."""
    host: str
    port: int
    """0: any free one."""
    has_token: bool
    token_file: Path | None
    """None: a token is drawn."""
    hosts: tuple[str, ...]
    replicas: int
    threads: int | None
    """Of each replica; None: this machine's cores divided by the replicas."""
    batch: int
    inputs: Path | None
    max_waiting: int
    numbers: Mapping[str, float]
    """max_mb and so on."""
    runs: Path
    jittor: Path
    uri: str
    address: str | None
    """Of a running Ray; None: one of this machine alone."""


def read_request(arguments: Sequence[str]) -> Settings:
    """Check the words of a command. Raises ConfigError with every fault."""
    refusal = ("belongs to the model, which is trained", "only site, tracking and cluster")
    values, places = read_words(arguments, OWN, PLACES, refusal, _faults)
    faults = _place_faults(places)
    if faults:
        raise ConfigError(faults)
    return _settings(values, places)


def _settings(values: Mapping[str, str], places: Mapping[str, Any]) -> Settings:
    found = _MODEL.fullmatch(values["model"])
    assert found is not None
    folder, token_file = values["inputs"], values["token_file"]
    address = places["cluster"]["address"]
    return Settings(
        model=values["model"],
        name=found[1],
        alias=found[2] or "",
        host=values["host"],
        port=int(values["port"]),
        has_token=values["auth"] == "token",
        token_file=Path(token_file).expanduser().resolve() if token_file else None,
        hosts=tuple(name.strip() for name in values["hosts"].split(",") if name.strip()),
        replicas=int(values["replicas"]),
        threads=int(values["threads"]) if values["threads"] else None,
        batch=int(values["batch"]),
        inputs=Path(folder).expanduser().resolve() if folder else None,
        max_waiting=int(values["max_waiting"]),
        numbers={key: float(values[key]) for key in _NUMBERS},
        runs=Path(places["site"]["runs"]),
        jittor=Path(places["site"]["jittor"]),
        uri=absolute_uri(places["tracking"]["uri"]),
        address=None if address is None else str(address),
    )


def _place_faults(places: Mapping[str, Any]) -> list[Fault]:
    faults = []
    if places["tracking"]["kind"] == "none":
        faults.append(Fault("tracking=none", "no MLflow", "one with the model", "Leave it out, or type its URI."))
    if places["cluster"]["kind"] == "inline":
        faults.append(Fault("cluster=inline", "no Ray", "cluster=local or cluster=running"))
    if str(places["cluster"]["address"]).startswith("ray://"):
        found = "a client's address"
        expected = "cluster.address=auto or host:port, on a machine of the cluster"
        faults.append(Fault(f"cluster.address={places['cluster']['address']}", found, expected))
    return faults


def _faults(values: Mapping[str, str]) -> list[Fault]:
    faults = []
    if not _MODEL.fullmatch(values["model"]):
        found = "no such form" if values["model"] else "not typed"
        faults.append(Fault(f"model={values['model']}", found, "models:/NAME@ALIAS or models:/NAME/VERSION"))
    for key, (low, high) in _WHOLE.items():
        if not (values[key].isdecimal() and values[key].isascii() and low <= int(values[key]) <= high):
            faults.append(Fault(f"{key}={values[key]}", "out of range", f"a whole number from {low} to {high}"))
    if values["threads"] and not (values["threads"].isdecimal() and int(values["threads"])):
        faults.append(Fault(f"threads={values['threads']}", "not a whole number above 0", "threads=2"))
    for key, (least, most) in _NUMBERS.items():
        if not _is_between(values[key], least, most):
            faults.append(Fault(f"{key}={values[key]}", "out of range", f"a number from {least:g} to {most:g}"))
    if values["inputs"] and not Path(values["inputs"]).expanduser().is_dir():
        faults.append(Fault(f"inputs={values['inputs']}", "no such folder", "the folder whose files may be named"))
    return [*faults, *_access_faults(values)]


def _access_faults(values: Mapping[str, str]) -> list[Fault]:
    auth, host = values["auth"], values["host"]
    faults = [
        Fault(f"{key}={values[key]}", "no such choice", " or ".join(f"{key}={one}" for one in choices))
        for key, choices in (("auth", ("token", "none")), ("open_to_all", ("true", "false")))
        if values[key] not in choices
    ]
    if auth == "none" and values["token_file"]:
        faults.append(Fault("auth=none", "with token_file=", "one of them"))
    if auth == "none" and not is_loopback(host) and values["open_to_all"] != "true":
        remedy = "Leave auth=none out; or, if everybody who reaches this machine may ask, add open_to_all=true."
        faults.append(Fault(f"auth=none host={host}", "open to the network without a token", "a token", remedy))
    return faults


def _is_between(text: str, least: float, most: float) -> bool:
    check: Callable[[str], float] = float
    try:
        return least <= check(text) <= most
    except ValueError:
        return False
