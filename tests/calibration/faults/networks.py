"""Networks that fail, lie, or break the process that they run in, each beside an innocent one."""

from __future__ import annotations

import shutil
import textwrap
from typing import Final, Literal, NamedTuple

import psutil

from tests.calibration.faults.bench import Bench, Command, Found, trials_of

Place = Literal["import", "init", "training", "anywhere", "backward", "result"]


class Bad(NamedTuple):
    """What a network does, and where: when its file is imported, when it is built, in a forward pass while it trains or
    in any, in a backward pass, or in place of its logits."""

    place: Place
    code: str


NETWORKS: Final[dict[str, Bad]] = {
    "raises when imported": Bad("import", "raise ValueError('no')"),
    "leaves Python when imported": Bad("import", "import sys; sys.exit(3)"),
    "ends its process when imported": Bad("import", "os._exit(0)"),
    "raises when built": Bad("init", "raise ValueError('no')"),
    "ends its process when built": Bad("init", "os._exit(1)"),
    "takes more memory than there may be when built": Bad(
        "init",
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (2**33, 2**33)); self.much = torch.ones(2**32)",
    ),
    "recurses for ever": Bad("training", "f = lambda: f(); f()"),
    "raises": Bad("training", "raise ValueError('no')"),
    "raises in any pass": Bad("anywhere", "raise ValueError('no')"),
    "raises a message of 5 MB": Bad("training", "raise ValueError('x' * 5_000_000)"),
    "raises what has no words": Bad(
        "training", "E = type('E', (Exception,), {'__str__': lambda self: 1 / 0}); raise E()"
    ),
    "raises what answers no question": Bad(
        "training",
        "M = type('M', (type,), {'__getattribute__': lambda cls, name: 1 / 0}); raise M('E', (Exception,), {})()",
    ),
    "raises lines and escapes": Bad("training", "raise ValueError('a\\n\\x1b[2Jb\\u202ec' * 9)"),
    "interrupts as a keyboard does": Bad("training", "raise KeyboardInterrupt"),
    "leaves Python": Bad("training", "raise SystemExit(0)"),
    "ends its process": Bad("training", "os._exit(0)"),
    "aborts": Bad("training", "os.abort()"),
    "crashes": Bad("training", "import ctypes; ctypes.string_at(0)"),
    "kills its process": Bad("training", "os.kill(os.getpid(), 9)"),
    "terminates its process": Bad("training", "os.kill(os.getpid(), 15); time.sleep(0.1); raise ValueError('no')"),
    "stops its process": Bad("training", "os.kill(os.getpid(), 19)"),
    "terminates its group": Bad("training", "os.kill(0, 15); time.sleep(0.1)"),
    "kills its group": Bad("training", "os.kill(0, 9)"),
    "stops its group": Bad("training", "os.kill(0, 19)"),
    "kills who started it": Bad("training", "os.kill(os.getppid(), 9); time.sleep(0.1)"),
    "hangs": Bad("training", "while True: pass"),
    "leaves a thread spinning": Bad(
        "training", "import threading; threading.Thread(target=lambda: [None for _ in iter(int, 1)]).start()"
    ),
    "forks": Bad("training", "os.fork()"),
    "leaves a child with its files": Bad(
        "training", "import subprocess; subprocess.Popen(['sleep', '1201'], close_fds=False)"
    ),
    "starts a program that knows nothing of it": Bad(
        "training", "import subprocess; subprocess.Popen(['sleep', '1201'], env={}, start_new_session=True)"
    ),
    "takes more memory than there may be": Bad(
        "training",
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (2**33, 2**33)); self.much = torch.ones(2**32)",
    ),
    "closes all files": Bad("training", "os.closerange(3, 256)"),
    "writes to its parent": Bad("training", "[os.write(fd, b'{\"done\": 1}\\n') for fd in range(3, 12) if _open(fd)]"),
    "prints 20 MB": Bad("training", "print('x' * 20_000_000)"),
    "changes the folder": Bad("training", "os.chdir('/')"),
    "lets nobody read its files": Bad("anywhere", "os.umask(0o777)"),
    "clears the environment": Bad("training", "os.environ.clear()"),
    "changes the default type": Bad("training", "torch.set_default_dtype(torch.float64)"),
    "turns gradients off": Bad("training", "torch.set_grad_enabled(False)"),
    "takes threads": Bad("training", "torch.set_num_threads(3)"),
    "seeds all generators": Bad("training", "import random; random.seed(0); torch.manual_seed(0)"),
    "patches torch": Bad("training", "nn.Conv2d.forward = lambda self, x: x * 0; torch.optim.AdamW.step = None"),
    "patches Python": Bad("training", "import builtins, json; builtins.open = None; json.dumps = None"),
    "forgets modules": Bad("training", "import sys; [sys.modules.pop(m) for m in list(sys.modules) if 'fbench' in m]"),
    "deletes what it finds": Bad(
        "training",
        "import shutil, sys; log = os.readlink('/proc/self/fd/2'); shutil.rmtree(os.path.dirname(log), True)",
    ),
    "raises in the backward pass": Bad("backward", "raise ValueError('no')"),
    "ends its process in the backward pass": Bad("backward", "os._exit(0)"),
    "writes into its images": Bad("anywhere", "x.mul_(0.5)"),
    "gives NaN": Bad("result", "logits * float('nan')"),
    "gives infinity": Bad("result", "logits + float('inf')"),
    "gives other classes": Bad("result", "logits[:, :3]"),
    "gives a dictionary": Bad("result", "{'logits': logits}"),
    "gives nothing": Bad("result", "None"),
    "gives other images": Bad("result", "logits[:1]"),
    "gives whole numbers": Bad("result", "logits.argmax(1)"),
    "gives what no gradient reaches": Bad("result", "logits.detach()"),
    "ends its process while it is timed": Bad(
        "anywhere", "import sys; '_visit' in _callers(sys._getframe()) and not self.training and os._exit(0)"
    ),
    "has no parameters": Bad("init", "self.head = nn.Identity(); self.bare = True"),
}

_FILE: Final = """
import os, time
import torch
from torch import nn
import fbench

def _open(fd):
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True

def _callers(frame):
    return {frame.f_code.co_name} | _callers(frame.f_back) if frame else set()

class Backward(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, gradient):
        {backward}
        return gradient

class Bad(nn.Module):
    bare = False

    def __init__(self, channels, classes):
        super().__init__()
        self.head = nn.Linear(channels * 9, classes)
        {init}

    def forward(self, x):
        {anywhere}
        if self.training and x.device.type != "meta":
            {training}
        small = nn.functional.adaptive_avg_pool2d(x, 3).flatten(1)
        logits = small[:, :7] if self.bare else self.head(small)
        logits = Backward.apply(logits)
        return {result}

{import}

@fbench.register("bad", description="bad")
def build(num_classes=7, in_channels=1, image_size=48):
    return Bad(in_channels, num_classes)
"""


def source_of(bad: Bad) -> str:
    """The file of a network."""
    lines = dict.fromkeys(("import", "init", "anywhere", "training", "backward"), "pass") | {"result": "logits"}
    code = _FILE
    for place, line in (lines | {bad.place: bad.code}).items():
        code = code.replace(f"{{{place}}}", line)
    return textwrap.dedent(code)


def _programs() -> set[int]:
    """The programs of this machine that networks have started here, by how long they would go on."""
    return {one.pid for one in psutil.process_iter(["cmdline"]) if one.info["cmdline"] == ["sleep", "1201"]}


def beside(bench: Bench, name: str) -> Found:
    """A run of the innocent network beside a bad one: the bad one's trials alone fail, if any."""
    run = bench.new_folder()
    plugin = run.parent / f"{run.name}.py"
    plugin.write_text(source_of(NETWORKS[name]), encoding="utf-8")
    names = ["--arch", "lenet5", "--arch", "bad", "--plugin", str(plugin), "--trial-timeout", "20s"]
    arguments = ["run", *names, "--preset", "smoke", "--seeds", "2", "--jobs", "2", "--out", str(run)]
    before = _programs()
    command = Command(arguments, run.parent / f"{run.name}.first.log")
    ended = command.wait()
    left = command.left_behind() or bool(_programs() - before)
    found = trials_of(run)
    innocent = {one: found.get(one) for one in bench.reference}
    refused = ended.status == 2 and not found  # it could not be planned, and nothing was trained
    lost = not refused and None in innocent.values()
    wrong = any(one not in (None, bench.reference[trial_id]) for trial_id, one in innocent.items())
    note = f"{ended.status}: {innocent}: {ended.said[-800:]}"
    shutil.rmtree(run, ignore_errors=True)
    return Found(lost=lost, wrong=wrong or left, message=not ended.is_clean, note=note)
