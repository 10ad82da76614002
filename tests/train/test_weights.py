import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import save_file

from jack_ray.contract.errors import WeightsError
from tests.train.torch_files import (
    Call,
    Global,
    Persistent,
    _identity,
    dumps,
    save_legacy,
    save_zip,
    tensor,
    tensors,
)

pytestmark = pytest.mark.rank

PUBLISHED = Path(__file__).parents[2].parent / "shared" / "data" / "weights_small"

ARRAYS: dict[str, NDArray[Any]] = {
    "a.weight": np.arange(6, dtype=np.float32).reshape(2, 3),
    "a.bias": np.array([0.5, -1.5], np.float16),
    "steps": np.array(7, np.int64),
}


def read(path: Path) -> dict[str, NDArray[Any]]:
    from jack_ray.train.weights import read_weights

    return read_weights(path)


def refusal(path: Path) -> str:
    with pytest.raises(WeightsError) as caught:
        read(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


def same(read_back: dict[str, NDArray[Any]], arrays: dict[str, NDArray[Any]] = ARRAYS) -> None:
    assert list(read_back) == list(arrays)
    for name, array in arrays.items():
        assert read_back[name].dtype == array.dtype
        np.testing.assert_array_equal(read_back[name], array)


def test_safetensors_are_read(tmp_path: Path) -> None:
    save_file(ARRAYS, tmp_path / "w.safetensors")
    read_back = read(tmp_path / "w.safetensors")
    same({name: read_back[name] for name in ARRAYS})


def test_a_file_of_torch_save_is_read(tmp_path: Path) -> None:
    save_zip(tmp_path / "w.pth", tensors(ARRAYS), ARRAYS)
    same(read(tmp_path / "w.pth"))


def test_a_file_of_an_old_torch_save_is_read(tmp_path: Path) -> None:
    save_legacy(tmp_path / "w.pkl", ARRAYS)
    same(read(tmp_path / "w.pkl"))


def test_a_transposed_tensor_is_read_as_it_was_seen(tmp_path: Path) -> None:
    stored = np.arange(6, dtype=np.float32).reshape(3, 2)
    view = tensor("0", stored, _identity)
    view = Call(view.function, (*view.arguments[:2], (2, 3), (1, 2), *view.arguments[4:]))
    save_zip(tmp_path / "w.pth", {"w": view}, {"w": stored})
    np.testing.assert_array_equal(read(tmp_path / "w.pth")["w"], stored.T)


def test_parameters_are_read_as_their_tensors(tmp_path: Path) -> None:
    rebuild = Global("torch._utils", "_rebuild_parameter")
    parameter = Call(rebuild, (tensors(ARRAYS)["a.weight"], True, Call(Global("collections", "OrderedDict"), ())))
    save_zip(tmp_path / "w.pth", {"w": parameter}, ARRAYS)
    np.testing.assert_array_equal(read(tmp_path / "w.pth")["w"], ARRAYS["a.weight"])


def test_bfloat16_becomes_float32(tmp_path: Path) -> None:
    halves = {"w": np.array([0x3F80, 0xC020], np.uint16)}  # 1.0 and -2.5
    save_zip(tmp_path / "w.pth", tensors(halves), halves)
    same(read(tmp_path / "w.pth"), {"w": np.array([1.0, -2.5], np.float32)})


@pytest.mark.parametrize("nest", ["state_dict", "model"])
def test_weights_inside_a_checkpoint_are_found(tmp_path: Path, nest: str) -> None:
    save_zip(tmp_path / "w.pth", {"epoch": 3, nest: tensors(ARRAYS)}, ARRAYS)
    same(read(tmp_path / "w.pth"))


def test_the_prefix_of_data_parallel_is_taken_off(tmp_path: Path) -> None:
    arrays = {f"module.{name}": array for name, array in ARRAYS.items()}
    save_zip(tmp_path / "w.pth", tensors(arrays), arrays)
    same(read(tmp_path / "w.pth"))


@pytest.mark.skipif(not PUBLISHED.is_dir(), reason="no ../shared/data beside this checkout")
@pytest.mark.parametrize(
    ("file", "known"),
    [
        ("resnet20-12fca82f.th", "cifar10_resnet20.npz"),
        ("step_epoch395_acc81.25_model.pth.tar", "step_stgcn_real_epoch395.npz"),
    ],
)
def test_published_weights_are_read_bit_for_bit(file: str, known: str) -> None:
    arrays = {name.removeprefix("module."): array for name, array in np.load(PUBLISHED / known).items()}
    read_back = read(PUBLISHED / file)
    assert set(read_back) == set(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(read_back[name], array)


class Evil:
    """Runs a command when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.target}",)


@pytest.mark.parametrize("kind", ["zip", "legacy", "magic"])
def test_a_file_that_would_run_a_command_is_refused_and_nothing_runs(tmp_path: Path, kind: str) -> None:
    target, path = tmp_path / "ran", tmp_path / "evil.pth"
    payload = pickle.dumps({"w": Evil(target)}, 2)
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("archive/data.pkl", payload)
    else:
        path.write_bytes(payload if kind == "magic" else dumps(0x1950A86A20F9469CFC6C) + dumps(1001) + payload)
    assert "posix.system" in refusal(path)
    assert not target.exists()


@pytest.mark.parametrize(
    "name",
    [("builtins", "eval"), ("builtins", "getattr"), ("numpy.core.multiarray", "_reconstruct"), ("torch", "load")],
)
def test_every_unknown_name_is_refused(tmp_path: Path, name: tuple[str, str]) -> None:
    save_zip(tmp_path / "w.pth", {"w": Call(Global(*name), ("1",))}, {})
    text = refusal(tmp_path / "w.pth")
    assert ".".join(name) in text
    assert "could run code: refused" in text
    assert "save_file" in text


def forged(offset: Any = 0, shape: Any = (2, 3), strides: Any = (3, 1), length: Any = 6, key: str = "0") -> Call:
    storage = Persistent(("storage", Global("torch", "FloatStorage"), key, "cpu", length))
    return Call(Global("torch._utils", "_rebuild_tensor_v2"), (storage, offset, shape, strides, False, None))


@pytest.mark.parametrize(
    "tensor_",
    [
        forged(offset=1),
        forged(offset=-1),
        forged(strides=(-3, 1)),
        forged(strides=(4, 1)),
        forged(shape=(10**12, 3), strides=(0, 0)),
        forged(shape=(2,)),
        forged(length=7),
        forged(length="6"),
        forged(key="../0"),
        forged(key="1"),
        forged(shape=(2.5, 3)),
    ],
)
def test_a_tensor_outside_its_storage_is_refused(tmp_path: Path, tensor_: Call) -> None:
    save_zip(tmp_path / "w.pth", {"w": tensor_}, {"a": np.zeros(6, np.float32)})
    assert "damaged" in refusal(tmp_path / "w.pth")


@pytest.mark.parametrize("name", ["w.safetensors", "zip.pth", "old.pkl"])
def test_a_file_cut_short_anywhere_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name == "w.safetensors":
        save_file(ARRAYS, path)
    elif name == "zip.pth":
        save_zip(path, tensors(ARRAYS), ARRAYS)
    else:
        save_legacy(path, ARRAYS)
    content = path.read_bytes()
    for length in range(0, len(content), 7):
        path.write_bytes(content[:length])
        refusal(path)


@pytest.mark.parametrize("name", ["w.safetensors", "w.pth", "w.pkl"])
@pytest.mark.parametrize("content", [b"", b"not weights", b"PK\x03\x04broken", os.urandom(500), b"<html>404</html>"])
def test_a_file_of_something_else_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    refusal(tmp_path / name)


def test_a_compressed_archive_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "w.pth", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", dumps({}))
    assert "compressed" in refusal(tmp_path / "w.pth")


def test_numbers_of_a_big_endian_machine_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "w.pth", "w") as archive:
        archive.writestr("archive/data.pkl", dumps({}))
        archive.writestr("archive/byteorder", "big")
    assert "big-endian" in refusal(tmp_path / "w.pth")


def test_a_file_without_tensors_says_what_it_holds(tmp_path: Path) -> None:
    save_zip(tmp_path / "w.pth", {"epoch": 3, "loss": 0.5}, {})
    assert "holds no tensors by name; it holds: epoch, loss" in refusal(tmp_path / "w.pth")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert "is no file" in refusal(tmp_path / "nothing.pth")


def layer() -> Any:
    from jack_ray.methods.shared.batchnorm import SampleBatchNorm

    return SampleBatchNorm(2)


def test_tensors_are_put_in_by_name_and_the_rest_is_reported() -> None:
    from jack_ray.train.weights import load_into

    model = layer()
    given = {
        "weight": np.array([2.0, 3.0], np.float16),
        "running_var": np.array([4, 5]),
        "num_batches_tracked": np.array(9),
        "other": np.zeros(3),
    }
    report = load_into(model, given)
    np.testing.assert_array_equal(model.weight.numpy(), np.array([2, 3], np.float32))
    np.testing.assert_array_equal(model.running_var.numpy(), np.array([4, 5], np.float32))
    assert (report.loaded, report.missing) == (("weight", "running_var"), ("bias", "running_mean"))
    assert report.unexpected == ("other",)
    assert str(report).splitlines() == [
        "2 tensors loaded",
        "2 of the model not in the file: bias, running_mean",
        "1 of the file not in the model: other",
    ]


def test_every_tensor_of_another_shape_is_listed_and_none_is_put_in() -> None:
    from jack_ray.train.weights import load_into

    model = layer()
    given = {"weight": np.zeros(2), "bias": np.zeros(3), "running_mean": np.zeros((2, 1))}
    with pytest.raises(WeightsError, match="another shape") as caught:
        load_into(model, given)
    assert "bias: file [3], model [2]" in str(caught.value)
    assert "running_mean: file [2, 1], model [2]" in str(caught.value)
    np.testing.assert_array_equal(model.weight.numpy(), np.ones(2))


def test_loading_keeps_running_statistics_out_of_the_gradient() -> None:
    from jack_ray.train.weights import load_into

    model = layer()
    load_into(model, {"running_mean": np.ones(2), "weight": np.ones(2)})
    assert model.running_mean.is_stop_grad()
    assert not model.weight.is_stop_grad()
