import socket
from pathlib import Path

import pytest

from jack_ray.contract.errors import PlaceError
from jack_ray.place.ray_address import refuse_silent, resolve


def test_an_address_is_taken_as_it_is() -> None:
    for address in ("10.0.0.1:6379", "ray://head:10001", "[::1]:6379"):
        assert resolve(address, {}) == address


def test_auto_is_the_address_of_the_environment_first(tmp_path: Path) -> None:
    (tmp_path / "ray").mkdir()
    (tmp_path / "ray" / "ray_current_cluster").write_text("10.0.0.2:6379\n")
    assert resolve("auto", {"RAY_TMPDIR": str(tmp_path), "RAY_ADDRESS": "10.0.0.1:6379"}) == "10.0.0.1:6379"
    assert resolve("auto", {"RAY_TMPDIR": str(tmp_path)}) == "10.0.0.2:6379"


def test_auto_without_a_ray_says_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(PlaceError, match=r"no Ray was started on this machine\.\nStart one with `ray start --head`"):
        resolve("auto", {"RAY_TMPDIR": str(tmp_path)})


@pytest.mark.parametrize("address", ["head", "head:", ":6379", "ray://head", "head:port"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(PlaceError, match=r"is no address; expected auto, host:port or ray://host:port"):
        resolve(address, {})


def test_an_address_where_nobody_listens_is_refused_at_once() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nobody else can take it meanwhile
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(PlaceError, match=f"Nobody answers at cluster.address={address}"):
            refuse_silent(address)


def test_an_address_where_somebody_listens_passes() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        refuse_silent(f"ray://127.0.0.1:{server.getsockname()[1]}")
