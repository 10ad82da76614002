from pathlib import Path

import pytest

from jack_ray.methods.shared.attention_picture import Span, draw

# Jittor, where another test imported it before, flushes the smallest numbers to zero, which numpy notices.
pytestmark = pytest.mark.filterwarnings("ignore:The value of the smallest subnormal")


@pytest.mark.parametrize("gamma", [[0.0], [0.0, 0.0, 0.0], [0.2, 1.3]])
@pytest.mark.parametrize("lanes", [{}, {"found": [], "annotated": [(0.5, 1.0)]}])
def test_any_attention_can_be_drawn(tmp_path: Path, gamma: list[float], lanes: dict[str, list[Span]]) -> None:
    draw(tmp_path / "picture.png", "a video", gamma, 3.0, lanes)
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")
