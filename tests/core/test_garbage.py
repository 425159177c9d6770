"""Garbage is looked for again when the block has ended."""

from __future__ import annotations

import gc

import pytest

from fbench.core.garbage import collected_rarely, collection_put_off


def test_collection_is_off_within_the_block_alone() -> None:
    assert gc.isenabled()
    with collection_put_off():
        with collection_put_off():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_collection_is_on_again_after_an_error() -> None:
    with pytest.raises(KeyError), collection_put_off():
        raise KeyError
    assert gc.isenabled()


def test_collection_is_rare_within_the_block_alone() -> None:
    before = gc.get_threshold()
    with collected_rarely():
        assert gc.get_threshold() > before
    assert gc.get_threshold() == before
