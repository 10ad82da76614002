"""Hydra's sweep grammar, and the faults a user can make in it."""

import math
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from jack_ray.contract.errors import ConfigError
from jack_ray.contract.schema import SweepConfig, TrackingConfig
from jack_ray.contract.settings import read
from jack_ray.expand.space import Axis, read_space

CONF = Path(__file__).parents[2] / "conf"


def axis(expression: str, *, every_value: bool = True) -> Axis:
    return read_space({"train.lr": expression}, every_value=every_value, seed=0)[0]


def fault(expression: str, *, every_value: bool = True, key: str = "train.lr") -> str:
    with pytest.raises(ConfigError) as raised:
        read_space({key: expression}, every_value=every_value, seed=0)
    assert len(raised.value.faults) == 1
    assert raised.value.faults[0].where == f"sweep.over.{key}"
    return str(raised.value)


@pytest.mark.parametrize(
    ("expression", "values"),
    [
        ("choice(1e-5,1e-4)", ("1e-05", "0.0001")),
        ("1e-5, 1e-4", ("1e-05", "0.0001")),
        ("tsl,tsl_small", ("tsl", "tsl_small")),
        ("range(1,4)", ("1", "2", "3")),
        ("range(3)", ("0", "1", "2")),
        ("range(3,0,-1)", ("3", "2", "1")),
        ("range(0.1,0.5,0.1)", ("0.1", "0.2", "0.3", "0.4")),
        ("float(range(1,3))", ("1.0", "2.0")),
        ("sort(3,1,2)", ("1", "2", "3")),
        ("sort(choice(3,1,2),reverse=true)", ("3", "2", "1")),
        ("choice([1,2],{a:3})", ("[1,2]", "{a:3}")),
        ("true,null", ("true", "null")),
        ("'a b',\"1\"", ("'a b'", '"1"')),
        ("str(choice(1,2))", ("'1'", "'2'")),
        ("1e-4", ("0.0001",)),
    ],
)
def test_finite_expressions_become_their_values(expression: str, values: tuple[str, ...]) -> None:
    assert axis(expression).values == values


def test_a_shuffled_choice_keeps_its_order_when_the_sweep_is_continued() -> None:
    shuffled = [axis("shuffle(range(20))").values for _ in range(2)]
    assert shuffled[0] == shuffled[1]
    assert shuffled[0] is not None
    assert list(shuffled[0]) != [str(number) for number in range(20)]
    assert sorted(shuffled[0], key=int) == [str(number) for number in range(20)]


def test_another_seed_shuffles_differently() -> None:
    orders = {read_space({"a": "shuffle(range(20))"}, every_value=True, seed=seed)[0].values for seed in range(3)}
    assert len(orders) == 3


@pytest.mark.parametrize(
    ("expression", "distribution"),
    [
        ("interval(1,5)", FloatDistribution(1, 5)),
        ("tag(log, interval(1e-6,1e-3))", FloatDistribution(1e-6, 1e-3, log=True)),
        ("int(interval(1,5))", IntDistribution(1, 5)),
        ("int(tag(log, interval(1,100)))", IntDistribution(1, 100, log=True)),
        ("range(1,10,3)", IntDistribution(1, 7, step=3)),
        ("range(10,1,-3)", IntDistribution(4, 10, step=3)),
        ("range(0.1,0.5,0.1)", FloatDistribution(0.1, 0.4, step=0.1)),
        ("choice(1e-5,1e-4)", CategoricalDistribution(["1e-05", "0.0001"])),
    ],
)
def test_optuna_draws_from_the_distribution_that_is_meant(expression: str, distribution: object) -> None:
    assert axis(expression, every_value=False).distribution == distribution


@pytest.mark.parametrize("number", [1e-05, 1.2345678901234567e-06, 0.1 + 0.2, 3.0, 1e22])
def test_an_override_composes_to_the_very_number_that_was_drawn(number: float) -> None:
    text = axis("interval(0,1)", every_value=False).override(number)
    value = OverridesParser.create().parse_override(text).value()
    assert value == number
    assert type(value) is float


def test_a_float_drawn_from_a_range_is_typed_as_in_the_range() -> None:
    assert axis("range(0.1,0.5,0.1)", every_value=False).override(0.1 + 0.1 + 0.1) == "train.lr=0.3"


def test_a_text_that_looks_like_a_number_stays_a_text() -> None:
    typed = axis("str(choice(1,2))").override("'1'")
    assert OverridesParser.create().parse_override(typed).value() == "1"


def test_an_interval_of_floats_has_infinitely_many_values() -> None:
    assert axis("interval(0,1)", every_value=False).size() == math.inf
    assert axis("int(interval(1,8))", every_value=False).size() == 8
    assert axis("range(1,10,3)", every_value=False).size() == 3


def test_all_faulty_expressions_are_told_at_once_with_the_text_of_hydras_parser() -> None:
    over = {"train.lr": "choise(1,2)", "train.seed": "range(1,4)", "train.batch": "choice(1", "model": "glob(*)"}
    with pytest.raises(ConfigError) as raised:
        read_space(over, every_value=True, seed=0)
    assert [one.where for one in raised.value.faults] == [
        "sweep.over.train.lr",
        "sweep.over.train.batch",
        "sweep.over.model",
    ]
    assert "Unknown function 'choise'" in str(raised.value)
    assert "no viable alternative at input 'choice(1'" in str(raised.value)
    assert "expected choice(a,b,c), a,b,c or range(1,4)" in str(raised.value)


def test_an_interval_in_a_grid_is_refused_with_the_way_out() -> None:
    text = fault("interval(1e-5,1e-3)")
    assert "has no end of values" in text
    assert "Type sweep.strategy=random" in text


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("interval(1)", "missing a required argument: 'end'"),
        ("interval(2,1)", "is empty or endless"),
        ("interval(0,inf)", "is empty or endless"),
        ("tag(log, interval(0,1))", "a logarithmic interval of numbers > 0"),
        ("tag(lin, interval(0,1))", "has the tag lin; expected no tag but log"),
        ("tag(log, choice(1,2))", "only an interval can be tagged"),
        ("range(5,1)", "is empty"),
        ("range(1,5,0)", "never ends"),
        ("range(1000000)", "has more than 10000 values"),
        ("range(0.0,inf)", "is not finite"),
        ("choice()", "empty choice is not legal"),
        ("1e-5,0.00001", "names 1e-05 more than once"),
        ("glob(*)", "depends on the files there are"),
        ("", "sets nothing"),
    ],
)
def test_expressions_that_make_no_sense_are_refused(expression: str, said: str) -> None:
    assert said in fault(expression, every_value=False)


def test_a_deleted_setting_cannot_be_swept() -> None:
    assert "sets nothing" in fault("1,2", key="~train.lr")


@pytest.mark.parametrize("path", sorted((CONF / "sweep").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_file_of_conf_sweep_is_a_sweep(path: Path) -> None:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        chosen = compose("config", overrides=["model=tsl", f"sweep={path.stem}"])
        values = OmegaConf.to_container(chosen, resolve=True)["sweep"]  # type: ignore[call-overload,index]
    config, faults = read(SweepConfig, values, "sweep")  # type: ignore[arg-type]
    assert faults == []
    assert config is not None
    assert len(read_space(config.over, every_value=config.strategy == "grid", seed=0)) == len(config.over)


@pytest.mark.parametrize("path", sorted((CONF / "tracking").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_file_of_conf_tracking_is_a_tracking_config(path: Path) -> None:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        values = OmegaConf.to_container(compose(overrides=[f"+tracking={path.stem}"]).tracking)
    assert read(TrackingConfig, values, "tracking")[1] == []  # type: ignore[arg-type]
