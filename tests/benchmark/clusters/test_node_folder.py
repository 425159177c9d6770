"""What a node keeps: the data once, and nothing of processes that are no more."""

from __future__ import annotations

import io
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from support import make_stripes

from fbench.benchmark.clusters.node_folder import NodeFolder
from fbench.benchmark.data.cache import write_whole
from fbench.benchmark.data.loaded import read_sent
from fbench.benchmark.workers.messages import NoMessageError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="locks of files")


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def made() -> Iterator[Callable[[], NodeFolder]]:
    folders = list[NodeFolder]()

    def make() -> NodeFolder:
        folders.append(NodeFolder())
        return folders[-1]

    yield make
    for folder in folders:
        folder.let_go()


def sent_stripes(seed: int = 0) -> np.ndarray:
    content = io.BytesIO()
    write_whole(content, make_stripes(seed=seed))
    return np.frombuffer(content.getvalue(), np.uint8)


def test_data_are_written_once_for_all_processes_of_a_node(temporary: Path, made: Callable[[], NodeFolder]) -> None:
    stripes = make_stripes()
    first, second = made(), made()
    file = first.keep_data(sent_stripes(), stripes.fingerprint)
    written = file.stat().st_ino
    assert second.keep_data(np.zeros(3, np.uint8), stripes.fingerprint) == file
    assert file.stat().st_ino == written
    found = read_sent(file)
    assert found.fingerprint == stripes.fingerprint
    assert list(found.sample_ids) == list(stripes.sample_ids)
    assert stat.S_IMODE(first.path.parent.stat().st_mode) == 0o700


def test_other_data_than_were_sent_are_refused(made: Callable[[], NodeFolder]) -> None:
    folder = made()
    with pytest.raises(NoMessageError, match="other data arrived than were sent"):
        folder.keep_data(sent_stripes(seed=1), make_stripes().fingerprint)
    damaged = sent_stripes().copy()
    damaged[len(damaged) // 2] ^= 255
    with pytest.raises(NoMessageError, match="damaged"):
        folder.keep_data(damaged, make_stripes().fingerprint)


def test_what_a_process_left_that_is_no_more_goes_when_another_begins(
    temporary: Path, made: Callable[[], NodeFolder]
) -> None:
    fingerprint = make_stripes().fingerprint
    killed, alive = made(), made()
    file = killed.keep_data(sent_stripes(), fingerprint)
    killed.let_go()
    made().let_go()
    assert not killed.path.exists()
    assert alive.path.exists()
    assert file.exists()
    alive.remove()
    made()
    assert not file.exists()


def test_a_folder_that_somebody_else_may_write_to_is_not_used(made: Callable[[], NodeFolder]) -> None:
    first = made()
    first.path.parent.chmod(0o777)
    assert made().path.parent != first.path.parent


def test_a_checkpoint_of_another_attempt_does_not_stay(made: Callable[[], NodeFolder]) -> None:
    folder = made()
    folder.keep_checkpoint("a", b"state")
    assert (folder.checkpoints / "a.safetensors").read_bytes() == b"state"
    folder.keep_checkpoint("a", b"")
    assert not (folder.checkpoints / "a.safetensors").exists()
