"""Processor and memory of a gang, as lines of the system file; MLflow shows them as system metrics."""

import json
import time
from pathlib import Path

import psutil

from jack_ray.spawn.guard import descendants


class Sampler:
    """Adds up a process tree. Percentages count from the sample before, so the first one says 0."""

    def __init__(self, root: int, path: Path) -> None:
        self._root = root
        self._path = path
        self._known: dict[int, psutil.Process] = {}
        psutil.cpu_percent()

    def sample(self) -> None:
        """Append one line: {"time": seconds since 1970, "values": {"system/...": number}}."""
        cpu_percent, memory_bytes = self._tree()
        memory = psutil.virtual_memory()
        values = {
            "system/cpu_utilization_percentage": psutil.cpu_percent(),
            "system/system_memory_usage_percentage": memory.percent,
            "system/system_memory_usage_megabytes": round(memory.used / 1e6, 1),
            "system/trial_cpu_percentage": round(cpu_percent, 1),
            "system/trial_memory_megabytes": round(memory_bytes / 1e6, 1),
            "system/disk_free_megabytes": round(psutil.disk_usage(str(self._path.parent)).free / 1e6, 1),
        }
        with self._path.open("a", encoding="utf-8") as opened:
            opened.write(json.dumps({"time": time.time(), "values": values}) + "\n")

    def _tree(self) -> tuple[float, int]:
        cpu_percent, memory_bytes = 0.0, 0
        living = descendants(self._root)
        self._known = {pid: process for pid, process in self._known.items() if pid in living}
        for pid in living:
            try:
                process = self._known.setdefault(pid, psutil.Process(pid))
                cpu_percent += process.cpu_percent()
                memory_bytes += process.memory_info().rss
            except psutil.Error:
                continue  # it ended meanwhile
        return cpu_percent, memory_bytes
