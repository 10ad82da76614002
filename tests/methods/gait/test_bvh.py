"""Motion capture files: forward kinematics by hand, usual skeletons, and files that are broken."""

from pathlib import Path

import numpy as np
import pytest

from jack_ray.contract.errors import DataError
from jack_ray.methods.gait import bvh
from jack_ray.methods.gait.skeleton import BONES, INDEX, reordered

SHARED = Path(__file__).parents[4] / "shared" / "data"

ARM = """HIERARCHY
ROOT Hips
{
  OFFSET 5 5 5
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT Arm
  {
    OFFSET 1 0 0
    CHANNELS 3 Zrotation Yrotation Xrotation
    JOINT Hand
    {
      OFFSET 2 0 0
      CHANNELS 3 Zrotation Yrotation Xrotation
      End Site
      {
        OFFSET 9 9 9
      }
    }
  }
}
MOTION
Frames: 2
Frame Time: 0.1
0 0 0 0 0 0  90 0 0  0 0 0
1 2 3 90 0 0  0 90 0  0 0 0
"""


def written(folder: Path, text: str, name: str = "a.bvh") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_positions_are_those_worked_out_by_hand(tmp_path: Path) -> None:
    motion = bvh.read(written(tmp_path, ARM))
    assert [bone.name for bone in motion.bones] == ["Hips", "Arm", "Hand"]
    assert motion.frame_s == 0.1
    places = motion.positions()
    # Frame 1: the root's position replaces its offset; the arm turns by 90 degrees around z, the hand is above it.
    assert places[0] == pytest.approx(np.array([[0, 0, 0], [1, 0, 0], [1, 2, 0]]), abs=1e-9)
    # Frame 2: the root turns x to y; the arm turns around its own y, x to -z, which the root leaves where it is.
    assert places[1] == pytest.approx(np.array([[1, 2, 3], [1, 3, 3], [1, 3, 1]]), abs=1e-9)


def test_channels_turn_in_the_order_in_which_they_are_written(tmp_path: Path) -> None:
    text = ARM.replace("0 0 0 0 0 0  90 0 0  0 0 0", "0 0 0 0 0 0  90 90 0  0 0 0")
    first = bvh.read(written(tmp_path, text)).positions()[0, 2]
    turned = text.replace("CHANNELS 3 Zrotation Yrotation Xrotation", "CHANNELS 3 Yrotation Zrotation Xrotation", 1)
    second = bvh.read(written(tmp_path, turned)).positions()[0, 2]
    assert first == pytest.approx([1, 0, -2], abs=1e-9)  # Rz Ry x = Rz (-z) = -z
    assert second == pytest.approx([1, 2, 0], abs=1e-9)  # Ry Rz x = Ry y = y


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("HIERARCHY\n", "", "line 1: 'ROOT Hips'; expected a BVH file"),
        ("MOTION", "", "no MOTION: the file is cut short"),
        ("}\nMOTION", "MOTION", "MOTION before the skeleton's end"),
        ("}\nMOTION", "}\n}\nMOTION", "a } without its {"),
        ("OFFSET 1 0 0", "OFFSET 1 0", "line 8: 2 numbers; expected 3 finite numbers"),
        ("OFFSET 1 0 0", "OFFSET 1 x 0", "line 8: '1 x 0'; expected 3 numbers"),
        ("CHANNELS 3 Z", "CHANNELS 4 Z", "line 9: channels 4 Zrotation Yrotation Xrotation"),
        ("CHANNELS 3 Zrotation", "CHANNELS 3 Wrotation", "line 9: channels 3 Wrotation"),
        ("Frames: 2", "Frames: two", "expected Frames: N and Frame Time: S"),
        ("Frames: 2", f"Frames: {'9' * 5000}", "expected Frames: N and Frame Time: S"),
        ("Time: 0.1", "Time: 0.1.2", "expected Frames: N and Frame Time: S"),
        ("Frames: 2", "Frames: 3", "2 lines of motion; expected 3, as its line Frames says"),
        ("1 2 3 90", "1 2 90", "line 25: 11 numbers; expected 12 finite numbers"),
        ("1 2 3 90", "1 nan 3 90", "line 25: a number that is not finite"),
    ],
)  # fmt: skip
def test_a_broken_file_is_told_with_its_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in ARM
    path = written(tmp_path, ARM.replace(old, new, 1))
    with pytest.raises(DataError) as caught:
        bvh.read(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("text", ["", "\x00\x01\x02", "solid cube"])
def test_another_kind_of_file_is_told(tmp_path: Path, text: str) -> None:
    with pytest.raises(DataError, match=r"a\.bvh: line 1"):
        bvh.read(written(tmp_path, text))


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="unreadable"):
        bvh.read(tmp_path / "none.bvh")


def test_joints_are_found_by_their_usual_names_and_others_are_told(tmp_path: Path) -> None:
    motion = bvh.read(written(tmp_path, ARM))
    with pytest.raises(DataError) as caught:
        bvh.joints(motion, {"spine": "Arm", "head": "Haed"})
    told = str(caught.value)
    assert "no joint with a usual name for neck, right_shoulder" in told
    assert "Type --joint neck=NAME, and so for each of them. It has: Hips, Arm, Hand." in told
    assert "head: no joint Haed" in told
    assert "root:" not in told
    assert "spine:" not in told


SKELETONS = {
    "mixamo": "mixamorig:Hips Spine Neck Head RightShoulder RightArm RightForeArm RightHand LeftShoulder LeftArm "
    "LeftForeArm LeftHand RightUpLeg RightLeg RightFoot LeftUpLeg LeftLeg LeftFoot",
    "bandai": "joint_Root Hips Spine Neck Head Shoulder_R UpperArm_R LowerArm_R Hand_R Shoulder_L UpperArm_L "
    "LowerArm_L Hand_L UpperLeg_R LowerLeg_R Foot_R UpperLeg_L LowerLeg_L Foot_L",
    "plain": "root spine neck head rShoulder rElbow rWrist lShoulder lElbow lWrist rHip rKnee rAnkle lHip lKnee lAnkle",
}


@pytest.mark.parametrize("kind", SKELETONS)
def test_the_arm_begins_at_the_upper_arm_and_not_at_the_collar_bone(tmp_path: Path, kind: str) -> None:
    names = SKELETONS[kind].split()
    lines = ["HIERARCHY"]
    for index, name in enumerate(names):
        lines += [f"{'JOINT' if index else 'ROOT'} {name}", "{", "OFFSET 1 0 0", "CHANNELS 0"]
    lines[4] = "CHANNELS 1 Xposition"
    text = "\n".join([*lines, *["}"] * len(names), "MOTION", "Frames: 1", "Frame Time: 0.1", "0"])
    x = bvh.joints(bvh.read(written(tmp_path, text)), {})[0, :, 0]
    chosen = [names[int(place)].rpartition(":")[2].lower().replace("_", "") for place in x]
    assert len(set(chosen)) == 16
    assert chosen[0] in ("hips", "root")
    assert chosen[INDEX["right_shoulder"]] in ("rightarm", "upperarmr", "rshoulder")
    assert chosen[INDEX["left_foot"]] in ("leftfoot", "footl", "lankle")
    assert all(("r" in name) for name in chosen[4:7])


@pytest.mark.skipif(not (SHARED / "bandai_gait").exists(), reason="the motion capture is not beside the checkout")
def test_real_motion_capture_gives_the_positions_that_another_reader_gave() -> None:
    other = np.load(SHARED / "bandai_gait" / "gaits16.npz", allow_pickle=False)
    path = SHARED / "bandai_gait" / "bvh" / "dataset-1_walk_angry_001.bvh"
    joints = bvh.joints(bvh.read(path), {}) / 100
    row = int(np.flatnonzero(other["clip"] == path.stem)[0])
    start = int(other["start"][row])
    expected = reordered(other["x"][row], "left_first")
    assert (joints - joints[:, :1])[start : start + 48] == pytest.approx(expected, abs=1e-6)


@pytest.mark.skipif(not (SHARED / "xia_bvh").exists(), reason="the motion capture is not beside the checkout")
def test_bones_of_a_real_cmu_skeleton_keep_their_length() -> None:
    motion = bvh.read(SHARED / "xia_bvh" / "old_13_000.bvh")
    joints = bvh.joints(motion, {})
    assert joints.shape == (189, 16, 3)
    for child, parent in BONES:
        lengths = np.linalg.norm(joints[:, INDEX[child]] - joints[:, INDEX[parent]], axis=1)
        assert lengths.std() < 2e-3 * lengths.mean()
    assert joints[:, INDEX["left_hand"], 0].mean() != joints[:, INDEX["right_hand"], 0].mean()
