#!/usr/bin/env bash
# What a stranger does in the first hour, from an empty folder with a wheel: each step is timed and has to hold.
# scripts/first_hour.sh [FOLDER]: works in FOLDER, by default a temporary one that is removed.
set -euo pipefail
repository=$(cd "$(dirname "$0")/.." && pwd)
place=${1:-$(mktemp -d)}
[ $# -gt 0 ] || trap 'rm -rf "$place"' EXIT
mkdir -p "$place/work"
export FBENCH_CACHE_DIR="$place/cache" PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1
began=$SECONDS

step() { # step "what it shows" command...: prints seconds, and ends all where the command fails
  local said=$1 start=$SECONDS
  shift
  if ! "$@" >"$place/step.log" 2>&1; then
    cat "$place/step.log"
    echo "FAILED: $said"
    exit 1
  fi
  printf '%4s s  %s\n' "$((SECONDS - start))" "$said"
}

refuses() { # a command that has to end with 2 and one sentence that holds the words
  local words=$1 code=0
  shift
  "$@" >"$place/refused.log" 2>&1 || code=$?
  [ "$code" = 2 ] && grep -qF -- "$words" "$place/refused.log" && ! grep -q Traceback "$place/refused.log" ||
    { cat "$place/refused.log"; return 1; }
}

fails() { # a command that has to end with this code
  local wanted=$1 code=0
  shift
  "$@" || code=$?
  [ "$code" = "$wanted" ]
}

install() {
  python3 -m venv "$place/env"
  "$place/env/bin/pip" wheel -q --no-deps -w "$place/dist" "$repository"
  "$place/env/bin/pip" install -q -c "$repository/constraints.txt" "$place"/dist/*.whl nbclient ipykernel
}

trials() { find "$1/trials" -name record.json | wc -l; }

own_blocks() { # a network in two files
  cat >mine.py <<'PY'
import fbench
from torch import nn
from blocks import Body

@fbench.register("mine", description="two convolutions")
def build(num_classes: int = 7, in_channels: int = 1, image_size: int = 48, width: int = 8, attention: bool = True):
    return nn.Sequential(Body(in_channels, width), nn.Linear(width, num_classes))
PY
  cat >blocks.py <<'PY'
from torch import nn

class Body(nn.Module):
    def __init__(self, channels, width):
        super().__init__()
        self.convolution = nn.Conv2d(channels, width, 5, stride=2)

    def forward(self, images):
        return self.convolution(images).relu().mean((-2, -1))
PY
}

edited_blocks() { # an edit of the second file makes new trials
  sed -i 's/relu()/sigmoid()/' blocks.py
  fbench run --arch mine --against lenet5 --plugin mine.py --preset smoke --out mine-run
  [ "$(trials mine-run)" = 3 ]
}

repeated() { # the command that the report prints runs as it stands
  local command
  command=$(python - mine-run/report.html <<'PY'
import html, re, sys
text = html.unescape(open(sys.argv[1], encoding="utf-8").read())
print(re.search(r"fbench run [^<\n]*--protocol [^<\n]*", text)[0])
PY
  )
  eval "$command --out again --from mine-run --dry-run"
}

in_python() {
  python - <<'PY'
import numpy as np
import fbench

run = fbench.run(arch=["lenet5", "ires"], data="synthetic", preset="smoke", out="in-python", progress=False)
for frame in (run.trials_frame(), run.history_frame(), run.predictions_frame(), run.costs_frame(), run.summary_frame()):
    assert len(frame), frame
print(run.compare("lenet5", "ires"), run.claims().shape, run.report("r.html"))
assert len(run._repr_html_().splitlines()) <= 20
assert fbench.load_model(run, "lenet5:0")(__import__("torch").zeros(1, 1, 48, 48)).shape == (1, 7)
fbench.plots.pareto(run.summary_frame()).figure.savefig("pareto.png")
rng = np.random.default_rng(0)
labels = np.arange(120) % 3
images = (rng.random((120, 32, 32, 3)) * 255).astype(np.uint8)
fbench.run(arch="lenet5", data=fbench.data.from_arrays(images, labels, name="noise"), preset="smoke", out="arrays",
           progress=False)
PY
}

notebook() {
  python - <<'PY'
import nbclient
import nbformat

cells = ["import fbench\nfrom torch import nn",
         "@fbench.register('cell')\ndef build(num_classes=7, in_channels=1, image_size=48):\n"
         "    return nn.Sequential(nn.Flatten(), nn.Linear(in_channels * image_size**2, num_classes))",
         "run = fbench.run(arch=['cell', 'lenet5'], preset='smoke', out='cell-run')\nrun"]
book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in cells])
nbclient.NotebookClient(book, timeout=600).execute()
assert "defined in this session" in str(book.cells[2].outputs)
PY
}

coloured_folder() { # pictures of another size in colour reach a network as they are
  python - <<'PY'
import pathlib
import numpy as np
from PIL import Image

rng = np.random.default_rng(0)
for split, number in (("train", 40), ("validation", 12), ("test", 12)):
    for label in ("circle", "square"):
        folder = pathlib.Path("shapes", split, label)
        folder.mkdir(parents=True)
        for index in range(number):
            Image.fromarray((rng.random((64, 64, 3)) * 255).astype("uint8")).save(folder / f"{index}.png")
PY
  fbench run --arch lenet5 --against mini_xception --data shapes=folder:shapes --channels rgb --image-size 64 --preset smoke --out shapes-run
  python - <<'PY'
import json, pathlib
for file in pathlib.Path("shapes-run/trials").glob("*/record.json"):
    options = json.loads(file.read_text())["spec"]["network"]["options"]
    assert (options["in_channels"], options["image_size"], options["num_classes"]) == (3, 64, 2), options
PY
  fbench report shapes-run
  ! grep -q "Xu et al" shapes-run/report.html
}

imported() { # accuracies of other training code beside a run: a comparison, a gate, a report
  python - <<'PY'
import fbench

frame = fbench.load_run("in-python").predictions_frame()
frame = frame[frame["network"] == "lenet5"]
frame.assign(network="theirs").to_csv("theirs.csv", index=False)
PY
  fbench import csv theirs.csv --data synthetic -o theirs.json
  fbench compare in-python:lenet5 theirs.json:theirs
  fbench report in-python theirs.json -o with-theirs.html
  grep -q "not compared: the preset smoke" with-theirs.html
}

gate() { # a gate that cannot pass unverified
  fails 0 fbench compare first second --fail-on macs:+0%
  fails 1 fbench compare first second --fail-on accuracy:-0.1pt --fail-on-undecided
  refuses "energy" fbench compare first second --fail-on energy:+0%
}

second_run() {
  fbench run --suite smoke --preset smoke --out second --json | tail -n 1 | python -c 'import json, sys; json.load(sys.stdin)'
}

step "a wheel in an environment of its own" install
export PATH="$place/env/bin:$PATH"
cd "$place/work"
step "the names, suites, protocols, presets and data" bash -c 'for kind in "*" suites protocols presets data; do fbench list "$kind"; done'
step "a first run" fbench run --suite smoke --preset smoke --out first
step "a network to start from, with its row and its test" fbench new-arch small_net
step "its counts are held" fbench params --check small_net --plugin small_net.py
step "a network of one's own in two files" own_blocks
step "without a row in the contract it does not pass" fails 1 fbench params --check mine --plugin mine.py
step "its counts are shown" bash -c 'fbench params mine --plugin mine.py | grep -q computed'
step "it is trained beside another" fbench run --arch mine --against lenet5 --plugin mine.py --preset smoke --out mine-run
step "an edit beside it makes new trials" edited_blocks
step "the report's command repeats the run" repeated
step "an option of the wrong type is refused" refuses "attention" fbench show mine --plugin mine.py --option attention=perhaps
step "a name that is nowhere is refused" refuses "no architecture" fbench show nowhere
step "commented files for suite, protocol and data" bash -c 'mkdir -p d/circle d/square && fbench new-suite s && fbench new-protocol p && fbench new-data d && ls'
step "another rate is another protocol" bash -c 'fbench run --arch lenet5 --preset smoke --learning-rate 0.0001 --out rate && grep -q "fbench@1+learning_rate=0.0001" rate/run.json'
step "a trained network leaves as a file" fbench export first lenet5:0 --to safetensors -o lenet.safetensors
step "from Python: frames, comparison, claims, report, figures, own arrays" in_python
step "a folder of pictures in colour, of another size" coloured_folder
step "results of other training code" imported
step "the same run again, as JSON lines" second_run
step "a gate for CI" gate
step "from a notebook: a network of a cell" notebook
printf '%4s s  all\n' "$((SECONDS - began))"
