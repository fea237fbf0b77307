"""Words of every script, and long texts that differ only late."""

import pytest

from findmatches import Settings, Table
from findmatches.normalization import MAX_CHARACTERS, comparison_texts, long_word_counts, normalized_texts
from findmatches.preparation import prepare


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["राम", "रिम", "रोम", "रम"], id="Devanagari"),
        pytest.param(["কলা", "কুলা", "কালি"], id="Bengali"),
        pytest.param(["மலை", "மாலை", "முலை"], id="Tamil"),
        pytest.param(["กิน", "กัน", "กุน"], id="Thai"),
        pytest.param(["かき", "がき", "かぎ"], id="kana"),
        pytest.param(["כָּתַב", "כֹּתֵב"], id="Hebrew"),
        pytest.param(["كَتَبَ", "كُتِبَ"], id="Arabic"),
        pytest.param(["가나", "거나", "각나"], id="Hangul"),
    ],
)
def test_vowel_signs_and_tones_are_letters_of_their_word(words: list[str]) -> None:
    normalized = normalized_texts(words)
    assert len(set(normalized)) == len(words)
    assert all(" " not in word for word in normalized)


def test_accents_of_latin_and_cyrillic_are_no_difference() -> None:
    assert normalized_texts(["Café", "CAFE", "Пётр", "Петр"]) == ["cafe", "cafe", "петр", "петр"]


def test_digits_of_every_script_are_the_same_number() -> None:
    assert set(normalized_texts(["४२", "௪௨", "๔๒", "٤٢", "42"])) == {"42"}


def test_joiners_and_soft_hyphens_do_not_split_a_word() -> None:
    assert normalized_texts(["क्\u200dष", "co\u00adoperate"]) == ["क्ष", "cooperate"]


def test_the_whole_text_decides_which_rows_are_identical() -> None:
    opening = "the parties agree that " * 500
    table = Table({"id": ["1", "2", "3"], "text": [opening + "alpha", opening + "beta", opening + "alpha"]}, "id")
    prepared = prepare(table, Settings())
    assert prepared
    assert prepared.record.tolist() == [0, 1, 0]


def test_an_excerpt_has_the_beginning_the_end_and_the_rare_words() -> None:
    common = " ".join(f"common{number}" for number in range(400))
    texts = [f"first {common} rare{text // 2} {common} last" for text in range(6)]
    excerpts = comparison_texts(texts, long_word_counts(texts))
    assert all(len(excerpt) <= MAX_CHARACTERS for excerpt in excerpts)
    assert excerpts[0].startswith("first ")
    assert excerpts[0].endswith(" last")
    assert [f"rare{text // 2}" in excerpt.split() for text, excerpt in enumerate(excerpts)] == [True] * 6


def test_a_long_text_of_one_word_is_cut() -> None:
    (excerpt,) = comparison_texts(["x" * 100_000], long_word_counts(["x" * 100_000]))
    assert len(excerpt) <= MAX_CHARACTERS
