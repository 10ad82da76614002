"""What is typed after `jack_ray.serve`; all that is wrong is told at once."""

from pathlib import Path

import pytest

from jack_ray.contract.errors import ConfigError
from jack_ray.serve import HELP, main
from jack_ray.serving.request import OWN, read_request

MODEL = "model=models:/tsl@champion"


def test_words_become_settings(tmp_path: Path) -> None:
    found = read_request(
        ["model=models:/my tsl@champion", "port=0", "replicas=2", "threads=1", "max_mb=10", f"inputs={tmp_path}",
         "hosts=lab, lab.example", "tracking.uri=sqlite:///x.db", f"site.runs={tmp_path}"]
    )  # fmt: skip
    assert (found.name, found.alias, found.port, found.replicas, found.threads) == ("my tsl", "champion", 0, 2, 1)
    assert found.has_token
    assert found.hosts == ("lab", "lab.example")
    assert found.numbers["max_mb"] == 10.0
    assert found.inputs == tmp_path
    assert found.address is None
    assert found.uri == f"sqlite:///{Path('x.db').resolve()}"


def test_a_version_and_a_running_ray_can_be_typed() -> None:
    found = read_request(["model=models:/tsl/3", "cluster=running", "cluster.address=10.0.0.1:6379"])
    assert (found.name, found.alias, found.address) == ("tsl", "", "10.0.0.1:6379")
    assert read_request([MODEL, "cluster=running"]).address == "auto"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["port=1"], "model=: not typed; expected models:/NAME@ALIAS or models:/NAME/VERSION"),
        (["model=tsl"], "model=tsl: no such form"),
        (["model=models:/tsl@"], "no such form"),
        ([MODEL, "port=70000"], "port=70000: out of range; expected a whole number from 0 to 65535"),
        ([MODEL, "port=x"], "port=x: out of range"),
        ([MODEL, "replicas=0"], "replicas=0: out of range; expected a whole number from 1 to 1000"),
        ([MODEL, "threads=0"], "threads=0: not a whole number above 0"),
        ([MODEL, "max_mb=nan"], "max_mb=nan: out of range"),
        ([MODEL, "max_mb=-1"], "max_mb=-1: out of range"),
        ([MODEL, "stall_s=soon"], "stall_s=soon: out of range"),
        ([MODEL, "inputs=/no/such/folder"], "inputs=/no/such/folder: no such folder"),
        ([MODEL, "auth=open"], "auth=open: no such choice; expected auth=token or auth=none"),
        ([MODEL, "auth=none", "token_file=x"], "auth=none: with token_file="),
        ([MODEL, "auth=none", "host=0.0.0.0"], "auth=none host=0.0.0.0: open to the network without a token"),
        ([MODEL, "auth=none", "host=lab", "open_to_all=maybe"], "open_to_all=maybe: no such choice"),
        ([MODEL, "tracking=none"], "tracking=none: no MLflow"),
        ([MODEL, "cluster=inline"], "cluster=inline: no Ray"),
        ([MODEL, "cluster=running", "cluster.address=ray://x:1"], "a client's address"),
        ([MODEL, "train.lr=1"], "train.lr=..: belongs to the model, which is trained"),
        ([MODEL, "tracking.uri=a,b"], "tracking.uri: several values"),
        ([MODEL, "prot=1"], "prot: no such setting"),
        ([MODEL, "port=1", "port=2"], "port=2: typed twice"),
    ],
)
def test_what_cannot_be_meant_is_told(words: list[str], told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_request(words)
    assert told in str(caught.value)


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(ConfigError, match=r"\(4 found\)"):
        read_request(["model=x", "port=-1", "batch=0", "auth=x"])


def test_without_a_token_the_network_is_served_only_when_that_is_typed() -> None:
    assert not read_request([MODEL, "auth=none"]).has_token
    assert not read_request([MODEL, "auth=none", "host=0.0.0.0", "open_to_all=true"]).has_token


def test_every_word_is_explained() -> None:
    assert [word for word in OWN if f"{word}=" not in HELP] == []


def test_a_fault_ends_the_command_before_anything_is_started() -> None:
    with pytest.raises(ConfigError):
        main(["model=tsl"])
