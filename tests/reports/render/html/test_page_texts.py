"""How a page writes its texts: percentages stay whole, long names are cut where they would repeat."""

from __future__ import annotations

from fbench.reports.render.html.html import page_script, short_names, unbroken, with_unbroken_percents

LONG = "a_network_with_a_name_of_many_words_and_more"


def test_no_line_begins_with_the_sign_of_a_percentage() -> None:
    assert with_unbroken_percents("<p>10 % of 5 %, a % b</p><script></script>") == (
        "<p>10\N{NO-BREAK SPACE}% of 5\N{NO-BREAK SPACE}%, a % b</p><script></script>"
    )


def test_the_script_stays_as_its_hash_was_taken() -> None:
    page = f"<p>1 %</p><script>{page_script()}</script></body>"
    assert f"<script>{page_script()}</script>" in with_unbroken_percents(page)
    assert "80 %" in page_script()


def test_a_long_name_is_cut_and_told_whole_to_who_asks() -> None:
    found = short_names(f"<b> {LONG} and ires", (LONG, "ires"))
    assert found == f'&lt;b&gt; <abbr title="{LONG}">a_network_with_a_name_of_ma…</abbr> and ires'


def test_two_names_that_would_read_alike_stay_whole() -> None:
    names = (f"{LONG}_1", f"{LONG}_2")
    assert short_names(" and ".join(names), names) == " and ".join(names)


def test_no_short_word_is_parted_at_a_hyphen_and_markup_is_text() -> None:
    assert unbroken("to ARCH-4 <b>") == 'to <span class="whole">ARCH-4</span> &lt;b&gt;'
    command = f"fbench run --only {'a-' * 20}"
    assert unbroken(command) == f'fbench run <span class="whole">--only</span> {"a-" * 20}'
