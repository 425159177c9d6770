"""How long a report takes and how large it is: ``python -m tests.calibration.report_speed``; a process for each size.

Made-up records of as many images as the test split of FER2013, each network in a study, learning curves of ten
evaluations, costs with latency, throughput and training; with the real descriptions of registered networks, and maps of
rendered faces. ``python_loop_s`` says how fast the machine was just then: ten million multiplications and additions in
a loop.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import resource
import subprocess
import sys
import tempfile
import time
import timeit
from pathlib import Path

import numpy as np

from fbench.benchmark.maps.face_maps import FaceMaps
from tests.csv_tables import write_rows

IMAGES = 3589
SIZES = ((16, 10), (100, 10))
WANTED = {(16, 10): "at most 15 s, 3 MB", (100, 10): "at most 40 s"}
STUDIES = 4


def main() -> None:
    """Measure each size in a process of its own, twice, so that equal bytes are seen too."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("results/reports/speed.csv"))
    parser.add_argument("--one", type=Path, help="Measure the run in this folder, in this process.")
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(measured(arguments.one)))  # noqa: T201 - read by the process that started this one
        return
    write_rows(arguments.out, [row(networks, seeds) for networks, seeds in SIZES])


def row(networks: int, seeds: int) -> dict[str, str | int | float]:
    """A line of the table."""
    with tempfile.TemporaryDirectory() as folder:
        fabricate(Path(folder) / "run", networks, seeds)
        command = [sys.executable, "-m", "tests.calibration.report_speed", "--one", f"{folder}/run"]
        found = [json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout) for _ in "ab"]
    return {
        "networks": networks,
        "seeds": seeds,
        "trials": networks * seeds,
        "images": IMAGES,
        "report_s": max(one["report_s"] for one in found),
        "bytes": found[0]["bytes"],
        "python_loop_s": max(one["python_loop_s"] for one in found),
        "peak_memory_mib": max(one["peak_memory_mib"] for one in found),
        "equal_bytes_twice": "yes" if found[0]["sha256"] == found[1]["sha256"] else "no",
        "wanted": WANTED[networks, seeds],
    }


def fabricate(folder: Path, networks: int, seeds: int) -> None:
    """A run of made-up records, every network compared with the first."""
    from fbench.architectures.contract import built_in_contract
    from fbench.benchmark.training.networks import bare_network_spec, describe_network
    from tests.reports.fabricated_run import Recipe, fabricate_run

    known = list(dict.fromkeys(["ires", *built_in_contract()]))
    names = [*known, *(f"network_{place}" for place in range(networks))][:networks]
    share = -(-(networks - 1) // STUDIES)
    studies = [
        {
            "name": f"study_{place}",
            "title": f"Study {place}",
            "question": "Is it better?",
            "baseline": "ires",
            "levels": ("ires", *names[1 + share * place : 1 + share * (place + 1)]),
        }
        for place in range(STUDIES)
    ]
    accuracy = {name: 0.5 + 0.1 * place / networks for place, name in enumerate(names)}
    run = fabricate_run(
        folder, Recipe(accuracy=accuracy, seeds=range(seeds), images=IMAGES, studies=studies, epochs=10)
    )
    for place, name in enumerate(names):
        first = run.records(name, "fer2013")[0]
        description = describe_network(bare_network_spec(known[place % len(known)], {}))
        run.folder.write_network(first.spec.network.digest, description)
        run.folder.write_maps(first.trial_id, maps_of_faces())


def maps_of_faces() -> FaceMaps:
    """Maps of rendered faces as large as those of real networks: seven faces, 32 channels of 24x24."""
    from fbench.benchmark.data.synthetic.expressions import CLASS_NAMES
    from fbench.benchmark.maps.images import rendered_faces

    shown = rendered_faces(CLASS_NAMES, (1, 48, 48))
    if shown is None:
        raise RuntimeError("The generator renders no faces of its own classes; see fbench.benchmark.maps.images.")
    small = shown.images[0, 0, ::2, ::2]
    return FaceMaps(
        seed=0,
        source=shown.source,
        images=shown.images,
        labels=shown.labels,
        predicted=np.arange(len(shown.labels)),
        class_names=tuple(CLASS_NAMES),
        grad_cam=255 - shown.images[:, 0],
        cam_layer="last",
        feature_maps=np.stack([np.roll(small, place, axis=1) for place in range(32)]),
        layer="first",
        may_be_kept=True,
    )


def measured(run: Path) -> dict[str, str | int | float]:
    """Seconds from the folder to the page, its size and digest; of the imports only numpy's is not counted."""
    start = time.perf_counter()
    from fbench.benchmark.store.run_table import load_run
    from fbench.reports.render.html.build import build_report

    data = build_report([load_run(run)]).encode()
    seconds = time.perf_counter() - start
    return {
        "report_s": round(seconds, 2),
        "python_loop_s": round(timeit.timeit("for i in range(10**7): s += i * i", "s = 0", number=1), 2),
        "bytes": len(data),
        "peak_memory_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "sha256": hashlib.sha256(data).hexdigest(),
    }


if __name__ == "__main__":
    main()
