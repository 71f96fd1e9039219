"""What scripts/run shows, as a test."""
import os
import subprocess
import sys
import tempfile

import lab as labs
from lab import Failure


def test_the_demonstration_verifies_every_step(build):
    """The demo call as scripts/run --once places it: every step verified, exit code 0."""
    with tempfile.TemporaryDirectory() as out:
        done = subprocess.run([sys.executable, f"{labs.HERE}/demo.py", build, "--once"], stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=180, errors="replace",
                              env={**os.environ, "PATCHBAY_DEMO_OUT": out, "PYTHONDONTWRITEBYTECODE": "1"})
        kinds = sorted(name.rsplit(".", 1)[-1] for name in os.listdir(out))
        if done.returncode != 0 or ", 0 failed" not in done.stdout or kinds != ["opus", "wav"]:
            raise Failure(f"exit code {done.returncode}, left {kinds}:\n{done.stdout[-3000:]}")
