"""Searches: concrete, short, best first."""

from __future__ import annotations

import time
from importlib.resources import files

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgend.pipeline.footage.paint.words import Lexicon
from vidgend.pipeline.planner.keywords import LAST_RESORT, main_phrases, queries_for
from vidgend.pipeline.planner.visible import kind_of
from vidgend.pipeline.planner.visual_words import english_at


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("thing", "dog waves children bees boxes wolves sunset firefighter jellyfish coffee people"),
        ("action", "running crashing kneading flying"),
        ("look", "golden old baked wooden"),
        ("thing", "bear animals desert train book food shoes television flames"),
        ("action", "dancing reading singing eats"),
        ("unseen", "democracy went wrote built happiness truth noise"),
        ("unknown", "tiktok photosynthesis"),
    ],
)
def test_words_are_told_by_whether_they_can_be_seen(kind: str, words: str) -> None:
    assert {word: kind_of(word) for word in words.split()} == dict.fromkeys(words.split(), kind)


@pytest.mark.parametrize(
    ("text", "best"),
    [
        ("A beautiful sunset over the ocean", "sunset ocean"),
        ("with waves crashing on the beach", "waves crashing beach"),
        ("The Eiffel Tower was built in 1889.", "Eiffel Tower"),
        ("a day in the life of a firefighter in New York City", "firefighter New York City"),
        ("How photosynthesis works", "photosynthesis"),
        ("Bees really quickly make incredible honey", "Bees honey"),
    ],
)
def test_the_best_search_is_what_a_camera_can_see(text: str, best: str) -> None:
    assert queries_for(text, language="en")[0] == best


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Machu Picchu sits high in the Andes of Peru.", ("Machu Picchu", "Andes of Peru")),
        ("In January, the Statue of Liberty was covered in snow.", ("Statue of Liberty snow", "Statue of Liberty")),
        ("Ada Lovelace wrote the first program for a machine.", ("Ada Lovelace machine", "Ada Lovelace")),
        ("Leonardo da Vinci painted the Mona Lisa in Florence", ("Leonardo da Vinci", "Mona Lisa")),
        ("Democracy is fragile, like glass.", ("glass",)),
        ("Mix the flour with warm water and knead the dough.", ("flour warm water dough", "warm water", "water")),
        ("The Secret Life Of Bees And Flowers", ("Bees Flowers", "Bees")),
        ("Bears wait, and the dog doesn't bark.", ("Bears dog bark", "Bears")),
        ("She isn't reading; they don't know, you won't either.", ("reading",)),
        ("Wild animals look for food.", ("Wild animals food", "Wild animals", "animals")),
        ("The train is in the desert.", ("train desert", "train")),
        ("Our new headphones cancel noise and last forty hours on one charge.", ("headphones",)),
    ],
)
def test_names_stay_whole_and_what_nobody_can_film_is_left_out(text: str, wanted: tuple[str, ...]) -> None:
    assert queries_for(text, language="en") == wanted


@pytest.mark.parametrize(
    ("language", "text", "english"),
    [
        ("de", "Ein Zug fährt durch die Wüste.", "train desert"),
        ("es", "El oso busca comida en el campo.", "bear food field"),
        ("hi", "एक किसान अपने खेत में काम कर रहा है।", "farmer field"),
        ("zh", "一只熊在田野里。", "bear field"),
        ("fr", "Au coucher du soleil, un canard nage.", "sunset duck swimming"),
    ],
)
def test_what_the_table_knows_is_a_thing_whatever_else_its_english_word_means(
    language: str, text: str, english: str
) -> None:
    assert queries_for(text, language=language)[0] == english


@pytest.mark.parametrize("piece", ["'", "’", "-", " -", "-' ", "A of ", "Rio de ", "a. ", "。", "的了", "カナ"])
@pytest.mark.parametrize("language", ["en", "es", "ja"])
def test_a_script_of_nothing_but_signs_is_read_in_linear_time(language: str, piece: str) -> None:
    text = piece * (50_000 // len(piece))
    began = time.process_time()
    main_phrases(text, language=language)
    assert all(0 < len(query) <= 80 for query in queries_for(text, language=language))
    assert time.process_time() - began < 5.0


@pytest.mark.parametrize("language", ["fr", "it", "pt", "ar", "hi"])
def test_what_is_left_of_an_elided_word_is_no_search_if_it_is_a_letter(language: str) -> None:
    assert queries_for("it's", language=language) == (LAST_RESORT,)


def test_a_text_of_nothing_that_is_seen_still_searches_for_its_own_words() -> None:
    assert queries_for("Democracy needs trust.", language="en") == ("Democracy trust", "Democracy")
    assert queries_for("Democracy needs trust.", language="en", fallback=("parliament",)) == ("parliament",)


@pytest.mark.parametrize(
    ("language", "text", "english", "own"),
    [
        ("es", "Un perro corre en la playa", "dog running beach", "perro corre playa"),
        ("es", "La Torre Eiffel brilla de noche", "Torre Eiffel night", "Torre Eiffel brilla"),
        ("fr", "Les châteaux de la Loire au bord du fleuve.", "castle Loire river", "châteaux"),
        ("fr", "En été, les enfants mangent à côté de la fontaine.", "child eating fountain", "enfants mangent"),
        ("it", "Le barche dei pescatori tornano al porto", "boat fisherman harbor", "barche pescatori"),
        ("pt", "As crianças brincam na chuva.", "child playing rain", "crianças brincam"),
        ("de", "Die alte Mühle steht am Fluss", "old mill river", "alte Mühle"),
        ("de", "Kinder vor den Häusern, weg vom Wald", "child house forest", "Kinder"),
        ("nl", "De katten slapen op de boten", "cat sleeping boat", "katten"),
        ("hi", "किसान खेत में गेहूँ की फसल काटते हैं।", "farmer field wheat harvest", "किसान"),
        ("hi", "एक कुत्ता समुद्र तट पर दौड़ता है।", "dog beach running", "कुत्ता"),
        ("ja", "美しい海に沈む夕日、波が浜辺に打ち寄せる", "sea sunset wave", "夕日"),
        ("zh", "马上就要下雨了，人们打着雨伞。", "rain people umbrella", "雨伞"),
    ],
)
def test_a_text_in_another_language_is_searched_for_in_english_first_and_in_its_own_last(
    language: str, text: str, english: str, own: str
) -> None:
    queries = queries_for(text, language=language, fallback=("sea",))
    assert queries[0] == english and queries[1].isascii()
    assert own in queries[2] and len(queries) == 3


@pytest.mark.parametrize(
    ("language", "text", "theme"),
    [
        ("es", "Un perro corre en la playa al atardecer", "ocean"),
        ("fr", "La neige tombe sur la forêt en hiver", "snow"),
        ("it", "Le barche tornano al porto al tramonto", "ocean"),
        ("pt", "A cidade à noite, com prédios e luzes", "city"),
        ("de", "Der Vulkan spuckt Feuer in der Nacht", "mountains"),
        ("nl", "Regen valt op de straten van de stad", "city"),
        ("hi", "पहाड़ों पर बर्फ गिरती है", "mountains"),
        ("ja", "サンゴの間を魚が泳ぐ", "underwater"),
        ("zh", "沙漠里有骆驼", "desert"),
    ],
)
def test_what_is_painted_for_a_text_in_another_language_is_what_it_says(language: str, text: str, theme: str) -> None:
    meant = Lexicon().read(queries_for(text, language=language)[0])
    assert (meant.theme, meant.certain) == (theme, True)


def test_an_elision_hides_no_word_and_a_sentences_first_word_is_no_name() -> None:
    assert queries_for("Coupez une bonne soupe à l'oignon.", language="fr")[0] == "soup onion"
    assert main_phrases("x\nDeep in the forest, a jaguar moves.", language="en") == ("forest", "jaguar")


def test_a_language_or_a_text_of_which_nothing_is_known_is_searched_for_as_it_is() -> None:
    assert queries_for("La libertad es un derecho.", language="es") == ("libertad derecho", "libertad")
    assert queries_for("Закат над морем", language="ru")[0] == "Закат над морем"


def test_every_word_of_the_table_finds_its_english_and_none_is_there_twice() -> None:
    lines = (files("vidgend") / "data/words/visual_words.tsv").read_text("utf-8").splitlines()
    heads, *rows = [line.split("\t") for line in lines if line and not line.startswith("#")]
    assert heads == ["en", "es", "fr", "it", "pt", "de", "nl", "hi", "ja", "zh"] and len(rows) > 350
    for row in rows:
        assert len(row) == len(heads), row
        for language, words in zip(heads[1:], row[1:], strict=True):
            for word in words.split("|"):
                if "-" in (word, row[0]) or language in ("ja", "zh"):
                    continue
                found = english_at(word.split(), 0, language=language)
                assert found is not None and found[1] == len(word.split()), (language, word)


@given(st.text(max_size=300), st.sampled_from(["en", "es", "fr", "it", "pt", "de", "nl", "hi", "ja", "zh", "ru"]))
@settings(max_examples=200, deadline=None)
def test_any_text_has_one_to_three_short_searches(text: str, language: str) -> None:
    queries = queries_for(text, language=language)
    assert 1 <= len(queries) <= 3 and len({query.casefold() for query in queries}) == len(queries)
    assert all(query.strip() == query and 0 < len(query) <= 80 for query in queries)


def test_the_fallback_is_the_last_search_of_a_full_list() -> None:
    queries = queries_for("Grey whales breach near small boats", language="en", fallback=("ocean",))
    assert len(queries) == 3
    assert queries[-1] == "ocean"


def test_a_text_that_shows_nothing_uses_the_fallback() -> None:
    assert queries_for("And so it goes on.", language="en", fallback=("honey", "bees")) == ("honey", "bees")


def test_a_text_without_words_still_has_a_search() -> None:
    assert queries_for("...", language="en") == (LAST_RESORT,)


def test_the_callers_search_leads() -> None:
    assert queries_for("A red car", language="en", first="paris")[0] == "paris"


def test_searches_are_short_and_distinct() -> None:
    for query in queries_for("Extraordinary " + "bioluminescent jellyfish plankton octopus squid " * 9, language="en"):
        assert len(query.split()) <= 4
        assert len(query) <= 80


def test_an_endless_word_is_cut_to_a_search() -> None:
    assert queries_for("the " + "x" * 300, language="en") == ("x" * 80,)


def test_a_text_is_about_what_it_names_most_often() -> None:
    text = "Honey lasts. Archaeologists dug up honey in Egyptian tombs. Bacteria hate honey."
    assert main_phrases(text, language="en")[0].casefold() == "honey"
