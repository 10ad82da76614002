"""python -m benchmarks.serving.rival CHECKPOINT THREADS: TSL-Net in PyTorch behind Python's own HTTP server."""

import json
import sys
import tempfile
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from benchmarks.torch_models import tsl
from jack_ray.contract.checkpoint import MODEL, load_about
from jack_ray.methods.tsl.config import CLASSES
from jack_ray.methods.tsl.predict import Predictor
from jack_ray.train.method import typed


def form(headers: Any, body: bytes) -> dict[str, bytes]:
    """The fields of a form."""
    head = b"Content-Type: " + headers["Content-Type"].encode() + b"\r\n\r\n"
    parts = BytesParser(policy=HTTP).parsebytes(head + body).iter_parts()
    return {str(part.get_param("name", header="content-disposition")): part.get_payload(decode=True) for part in parts}


class Answering:
    """A model in this process."""

    def __init__(self, checkpoint: Path) -> None:
        about = load_about(checkpoint)
        settings = typed(about.trial)
        self.model = tsl.Model(settings.model)
        self.model.load_state_dict(load_file(checkpoint / MODEL), strict=False)
        self.model.eval()
        self.predictor = Predictor(settings.model, settings.data, CLASSES)

    def answer(self, fields: dict[str, bytes]) -> dict[str, Any]:
        """For one video."""
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for field, kind in (("rgb", "rgb"), ("mel", "logmfcc")):
                (folder / "features/test" / kind).mkdir(parents=True)
                (folder / "features/test" / kind / "video.npy").write_bytes(fields[field])
            (folder / "fps_dict.json").write_text(json.dumps({"video": float(fields["fps"])}))
            sample = self.predictor.read(folder / "features/test/rgb/video.npy")
        (batch,) = self.predictor.collate([sample])
        with torch.no_grad():
            video_scores, scores = self.model(batch)
        outputs = {"video_scores": video_scores.numpy(), "scores": scores.numpy()}
        (answer,) = self.predictor.answers(outputs, batch)
        return dict(answer)


def main() -> None:
    """Serve until killed."""
    torch.set_num_threads(int(sys.argv[2]))
    answering = Answering(Path(sys.argv[1]))

    class Handler(BaseHTTPRequestHandler):
        """One request."""

        protocol_version = "HTTP/1.0"  # one that stays open would keep all others waiting

        def do_POST(self) -> None:
            """Answer."""
            fields = form(self.headers, self.rfile.read(int(self.headers["Content-Length"])))
            text = json.dumps(answering.answer(fields)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.socket.listen(128)
    print(f"port {server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
