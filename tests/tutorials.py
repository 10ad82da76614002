"""What the documentation tells people to save and to type, in the order of a page."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
TUTORIALS = sorted((ROOT / "docs" / "tutorials").glob("*.md"))

FENCE = re.compile(r"^```(?P<kind>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"(?:^|saved as )`(?P<name>[\w./]+\.\w+)`:\n\n```\w*\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
PROGRAMS = ("python", "python3.11", "make", "ray", "mlflow", "curl", "pip", "export", ".", "chmod", "git", "apt-get")

NOT_RUN = {
    "mlflow ui": "shows pages until somebody ends it; tests/test_launch.py reads what it would show",
    "python -m jack_ray.data gait recordings data/my_gaits --every 3 --scale 0.01": "wants motion capture; "
    "tests/methods/gait converts generated recordings",
    "python -m jack_ray.data gait recordings data/my_gaits --labels table.csv --joint spine=Chest": "the same",
    "python -m jack_ray.data gait gaits.npz data/my_gaits --array x --label-array label "
    "--numbers Happy Angry Sad Neutral": "the same",
    "python -m jack_ray.data gait features.h5 data/my_gaits --labels labels.h5": "the same",
    "python -m jack_ray.launch model=gait data.root=data/my_gaits": "trains for hours",
    "python -m jack_ray.launch model=gait data.root=data/my_gaits data.own_scale=0.01 data.own_every=3": "the same",
    "python -m jack_ray.launch model=gait_egait sweep=folds data.root=data/egait": "reads E-Gait",
    "python -m jack_ray.launch model=gait_egait data=emotion_gait data.folds=5 sweep=folds data.root=data/my_gaits": (
        "reads the recordings of above"
    ),
    "python -m jack_ray.predict run=gait-1f0c9d3a52 input=walk.bvh data.own_scale=0.01 data.own_every=3 "
    "pictures=answers": "wants motion capture; tests/apply asks about arrays",
    "python -m jack_ray.predict run=tsl-504571cc23 input=talk.mp4 model.i3d_weights=rgb_imagenet.pt pictures=answers": (
        "wants I3D's weights; tests/test_data_features.py computes with random ones"
    ),
    "python -m jack_ray.data features videos data/talks --weights rgb_imagenet.pt": "the same",
    "python -m jack_ray.data features videos/train data/talks --split train --weights rgb_imagenet.pt": "the same",
    "python -m jack_ray.data features videos/test data/talks --split test --weights rgb_imagenet.pt": "the same",
    "python -m jack_ray.predict run=tsl-504571cc23 input=data/talks/features/test/rgb output=answers.json": "the same",
    "python -m jack_ray.launch model=tsl data.root=data/talks data.annotator=0 dry_run=true": "the same",
    "python -m jack_ray.launch model=tsl data.root=data/talks data.annotator=0": "the same",
    "python -m jack_ray.test run=tsl-504571cc23 output=scored": "tests/apply runs it",
    "python -m jack_ray.score tsl scored/predictions.json data/talks/gt.json": "tests/test_score.py runs it",
    "python -m jack_ray.launch model=vaanet_small data.root=data/my_videos model.num_classes=6 model.loss=pcce "
    "'model.positive=[Excited,Relaxation,Neutral]' 'model.negative=[Fear,Sad,Tension]'": "names classes of other data",
    "python -m jack_ray.launch model=vaanet_small data.root=data/my_videos model.num_classes=6 cluster.ranks=1 "
    "sweep.repeats=true 'data.split=range(0,4)'": "four trials more of what ran above",
    "python -m jack_ray.launch model=cten_small data.root=data/my_videos model.num_classes=6 cluster.ranks=1 "
    "sweep.repeats=true 'data.split=range(0,4)'": "the same",
    "python -m jack_ray.launch model=tsl_small train.lr=3e-3 train.steps=50": "another version: tests of the server",
    "python -m jack_ray.promote run=tsl-74f8f49be0 name=tsl alias=champion 'data_note=generated demo data'": "the same",
}
"""A tutorial's commands that no test types as they stand -> why. tests/test_docs.py composes launches all the same."""

NEEDS_MACHINES = "several machines: tests/cluster has hosts for it"
NOT_RUN |= dict.fromkeys(
    (
        "ray get-auth-token --generate",
        "export RAY_AUTH_MODE=token",
        "ray start --head --node-ip-address=192.0.2.10 --port=6379 --dashboard-host=127.0.0.1",
        "ray start --address=192.0.2.10:6379",
        "ray stop",
        "python -m jack_ray.launch model=tsl_small sweep=lr cluster=running data.root=/srv/jack_ray/data/VideoSenti "
        "site.runs=/srv/jack_ray/runs",
        "python -m jack_ray.launch model=tsl_small train.batch=6 cluster=running cluster.ranks=3 "
        "cluster.placement=spread data.root=/srv/jack_ray/data/VideoSenti site.runs=/srv/jack_ray/runs",
        "python -m jack_ray.submit jobs/sweep.yaml train.steps=200 -f",
        "python -m jack_ray.submit list",
        "python -m jack_ray.submit stop sweep",
    ),
    NEEDS_MACHINES,
)


def saved_files(page: str) -> dict[str, str]:
    """Path -> text of each file that stands on a page below its name."""
    return {match["name"]: match["text"] for match in NAMED.finditer(page)}


def write_files(page: str, root: Path) -> None:
    """Save the page's files below a folder, as a reader would."""
    for name, text in saved_files(page).items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def commands(page: str) -> list[str]:
    """Every line that is typed: of code blocks without a language or of a shell, those that begin with a program."""
    lines = [line for match in FENCE.finditer(page) if match["kind"] in ("", "sh") for line in _lines(match["text"])]
    return [line for line in lines if line.split(" ")[0] in PROGRAMS]


def _lines(text: str) -> list[str]:
    """Lines without the sign of a shell, without what is said of them, and with those that go on joined."""
    joined = text.replace("\\\n", "")
    return [re.sub(r"\s+#\s.*", "", line).removeprefix("$ ").strip() for line in joined.splitlines()]
