import pickle

from jack_ray.contract.errors import ConfigError, DataError, Fault, FaultsError, JackRayError


def test_a_fault_says_where_what_and_what_to_type() -> None:
    fault = Fault("train.lr", "'abc' is text", "a number", "Type train.lr=1e-4.")
    assert str(fault) == "train.lr: 'abc' is text; expected a number\n    Type train.lr=1e-4."


def test_a_fault_without_a_remedy_is_one_line() -> None:
    assert str(Fault("a", "b", "c")) == "a: b; expected c"


def test_all_faults_stand_below_one_title() -> None:
    error = ConfigError([Fault("a", "b", "c"), Fault("d", "e", "f")])
    assert str(error) == "The configuration has faults (2 found):\n  a: b; expected c\n  d: e; expected f"


def test_an_error_with_faults_crosses_a_process_wall() -> None:
    error = DataError([Fault("gt.json", "missing", "a file")])
    back = pickle.loads(pickle.dumps(error))  # noqa: S301  (as Ray carries it)
    assert isinstance(back, DataError)
    assert (back.faults, str(back)) == (error.faults, str(error))


def test_every_error_is_one_that_the_user_can_mend() -> None:
    assert issubclass(FaultsError, JackRayError)
