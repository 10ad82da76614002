import json
import os
import re
from pathlib import Path

import pytest

from jack_ray import verify
from jack_ray.contract.environment import default_jittor_home
from jack_ray.contract.errors import ConfigError

GOLDEN = Path(verify.METHODS) / "tsl" / "golden"


def faults(*arguments: str) -> str:
    with pytest.raises(ConfigError) as caught:
        verify.parse(arguments)
    return str(caught.value)


def test_a_method_alone_means_all_files_that_come_with_it() -> None:
    assert verify.parse(["model=tsl"]) == verify.Request("tsl", ())


def test_several_files_can_be_named() -> None:
    names = [f"golden={GOLDEN / name}" for name in ("tsl.json", "tsl_eval.json")]
    assert verify.parse(["model=tsl", *names]).files == (GOLDEN / "tsl.json", GOLDEN / "tsl_eval.json")


def test_all_faults_are_told_at_once() -> None:
    text = faults("model=tls", "golden=nothing.json", "faster", "golden=")
    assert "model=tls: has no golden files" in text
    assert "Did you mean tsl?" in text
    assert "nothing.json: no such file" in text
    assert "faster: not understood" in text
    assert "golden=: not understood" in text


def test_a_method_has_to_be_named_once() -> None:
    assert "model: not typed; expected one of " in faults(f"golden={GOLDEN / 'tsl.json'}")
    assert "model: typed 2 times" in faults("model=tsl", "model=tsl")


@pytest.mark.parametrize("arguments", [[], ["--help"], ["model=tsl", "-h"]])
def test_help_lists_the_methods(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert verify.main(arguments) == 0
    assert re.search(r"one of: .*\btsl\b", capsys.readouterr().out)


def test_a_fault_ends_with_exit_code_2_and_no_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert verify.main(["model=gait2"]) == 2
    assert "Traceback" not in capsys.readouterr().err


@pytest.fixture
def warm_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """The compiled Jittor of this test run, for children too."""
    monkeypatch.setenv("JACK_RAY_JITTOR_HOME", os.environ.get("JITTOR_HOME", str(default_jittor_home())))


@pytest.mark.rank
@pytest.mark.usefixtures("warm_home")
def test_agreement_is_exit_code_0_and_a_table(capfd: pytest.CaptureFixture[str]) -> None:
    assert verify.main(["model=tsl", f"golden={GOLDEN / 'tsl_eval.json'}"]) == 0
    output = capfd.readouterr().out
    assert "7 of 7 quantities agree." in output
    assert output.count(" ok\n") == 7


@pytest.mark.rank
@pytest.mark.usefixtures("warm_home")
def test_a_difference_is_exit_code_1_and_marked(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    content = json.loads((GOLDEN / "tsl_eval.json").read_text())
    (tmp_path / "g.json").write_text(json.dumps(content | {"average_mAP": 0.5}))
    assert verify.main(["model=tsl", f"golden={tmp_path / 'g.json'}"]) == 1
    output = capfd.readouterr().out
    assert "1 FAIL." in output
    assert [line.split()[-1] for line in output.splitlines() if "average mAP" in line] == ["FAIL"]


@pytest.mark.rank
@pytest.mark.usefixtures("warm_home")
def test_a_broken_file_is_exit_code_2_and_one_message(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "g.json").write_text("{")
    assert verify.main(["model=tsl", f"golden={tmp_path / 'g.json'}"]) == 2
    error = capfd.readouterr().err
    assert "is no JSON file" in error
    assert "Traceback" not in error
