"""Where one network cannot be computed as was asked, all are computed another way, or it is left to another run."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from fbench.benchmark.records.numerics import Numerics, choose_numerics
from fbench.benchmark.records.specs import NetworkSpec
from fbench.benchmark.runs.settled_numerics import Settled, settle
from tests.support import make_stripes, network_spec_of

STRIPES = make_stripes()
NETWORKS = [network_spec_of(name, STRIPES) for name in ("lenet5", "ires", "mini_xception")]
TF32 = choose_numerics("cuda", "tf32")


def but(numerics: Numerics, **changes: object) -> Numerics:
    return numerics.model_copy(update=changes)


class Device:
    """Fails the networks that the test says, in the ways that it says; keeps what was tried."""

    def __init__(self, **fails_in: Sequence[object]) -> None:
        self.fails_in, self.tried = fails_in, list[tuple[tuple[str, ...], Numerics]]()

    def failing(self, networks: Sequence[NetworkSpec], numerics: Numerics) -> dict[str, str]:
        self.tried.append((tuple(one.name for one in networks), numerics))
        parts = {numerics.precision, numerics.memory_format, "recorded" if numerics.cuda_graph else "eager"}
        return {one.name: "too far" for one in networks if parts & set(self.fails_in.get(one.name, ()))}


def test_what_all_can_is_computed_as_was_asked_after_one_look() -> None:
    device = Device()
    assert settle(TF32, NETWORKS, device.failing) == Settled(TF32)
    assert device.tried == [(("lenet5", "ires", "mini_xception"), TF32)]


@pytest.mark.parametrize(
    ("fails_in", "changes"),
    [
        (["tf32"], {"precision": "fp32"}),
        (["channels_last"], {"memory_format": "contiguous"}),
        (["recorded"], {"cuda_graph": False}),
        (["tf32", "recorded"], {"precision": "fp32", "cuda_graph": False}),
        (
            ["tf32", "channels_last", "recorded"],
            {"precision": "fp32", "memory_format": "contiguous", "cuda_graph": False},
        ),
    ],
)
def test_one_network_moves_the_whole_run_by_what_it_cannot_and_no_more(
    fails_in: list[str], changes: dict[str, object]
) -> None:
    found = settle(TF32, NETWORKS, Device(ires=fails_in).failing)
    assert found == Settled(but(TF32, **changes), {"ires": "too far"})


def test_the_others_are_tried_in_the_way_that_the_run_is_moved_to() -> None:
    device = Device(ires=["channels_last"], lenet5=["contiguous"])
    found = settle(TF32, NETWORKS, device.failing)
    assert found.numerics == but(TF32, precision="fp32", memory_format="contiguous", cuda_graph=False)  # the last one
    others = [numerics for names, numerics in device.tried if names == ("lenet5", "mini_xception")]
    assert but(TF32, memory_format="contiguous") in others


def test_networks_that_cannot_are_left_to_a_group_of_their_own_where_that_is_wanted() -> None:
    found = settle(TF32, NETWORKS, Device(ires=["tf32"]).failing, split=True)
    assert found == Settled(TF32, {"ires": "too far"}, apart=but(TF32, precision="fp32"))


def test_where_no_network_can_the_run_is_moved_and_not_split() -> None:
    cannot = {one.name: ["tf32"] for one in NETWORKS}
    found = settle(TF32, NETWORKS, Device(**cannot).failing, split=True)
    assert found.apart is None
    assert found.numerics == but(TF32, precision="fp32")
    assert found.because.keys() == cannot.keys()


def test_a_network_under_two_names_is_in_one_group() -> None:
    again = NETWORKS[1].model_copy(update={"name": "ires_again"})
    found = settle(TF32, [*NETWORKS, again], Device(ires=["tf32"]).failing, split=True)
    assert found.because == {"ires": "too far", "ires_again": "the same network under another name"}


def test_on_a_cpu_a_run_is_moved_to_the_eager_program_alone() -> None:
    compiled = choose_numerics("cpu", compile=True)
    device = Device(lenet5=["fp32"])
    assert settle(compiled, NETWORKS, device.failing).numerics == compiled.eager()
    assert [numerics for _, numerics in device.tried] == [compiled]


def test_ways_are_said_by_what_is_other_in_them() -> None:
    ways = TF32.other_ways()
    assert [way.words_beside(TF32) for way in ways] == [
        ("contiguous",),
        ("fp32",),
        ("eager",),
        ("contiguous", "fp32"),
        ("contiguous", "eager"),
        ("fp32", "eager"),
        ("contiguous", "fp32", "eager"),
    ]
    assert TF32.words_beside(ways[-1]) == ("channels_last", "tf32", "recorded")
    plain = but(choose_numerics("cuda"), memory_format="contiguous")
    assert [way.words_beside(plain) for way in plain.other_ways()] == [("eager",)]
