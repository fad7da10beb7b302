"""What language a request is in."""

from __future__ import annotations

import pytest

from vidgend.models import Brief, SceneBrief
from vidgend.pipeline.text_language import brief_language, given_language, text_language, unreadable_as, voice_language

GERMAN = "Das Meer ist ruhig, und ein Boot kommt in den Hafen zurück."


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("A beautiful sunset over the ocean with waves crashing on the beach", "en"),
        ("A walk through a rainy city at night, and the first light of the morning", "en"),
        ("Gulls follow. Night falls. All is still. A boat comes in.", "en"),
        ("Un beau coucher de soleil sur la mer avec des vagues", "fr"),
        ("Le lever du soleil, la mer, le vent: une journée à la plage.", "fr"),
        ("L'eau n'est pas loin d'ici, et c'est là qu'il m'attend.", "fr"),
        ("Ein Spaziergang durch die verregnete Stadt bei Nacht", "de"),
        (GERMAN, "de"),
        ("Una passeggiata nella città di notte", "it"),
        ("Il mare è calmo e la barca torna in porto con i pescatori.", "it"),
        ("Um passeio pela cidade à noite", "pt"),
        ("O mar está calmo e o barco volta ao porto com os pescadores.", "pt"),
        ("El sol sale sobre las montañas y el río despierta", "es"),
        ("Een wandeling door de stad in de nacht, en het eerste licht van de morgen", "nl"),
        ("Море спокойно, и лодка возвращается в порт.", "ru"),
        ("静かな海に船が帰ってくる", "ja"),
        ("समुद्र शांत है और नाव लौट रही है", "hi"),
    ],
)
def test_a_sentence_tells_its_language(text: str, language: str) -> None:
    assert text_language(text) == language
    assert text_language(text.upper()) == language


@pytest.mark.parametrize(
    "text",
    [
        "", "Sunset", "nginx vs apache", "Der Bäcker", "History of Rome", "Kubernetes cluster autoscaling best practices",
        "Top 5 pasta recipes: carbonara, amatriciana, cacio e pepe, pesto genovese, ragu bolognese",
        "La Tomatina, Feria de Abril and Semana Santa: the great festivals of Spain",
        "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor",
        "Bordeaux, Saint-Emilion, Medoc, Sauternes, Pomerol, Graves, Pessac-Leognan",
        "Los Angeles, San Francisco, Santa Monica, La Jolla, Las Vegas", "Santa Fe, Los Alamos, Las Cruces, El Paso",
        "El Salvador, La Paz, Los Cabos", "Los Lobos, Los Lonely Boys, Las Ketchup", "The word привет means hello",
        "Moscow (Москва) travel guide", "Dubai مرحبا welcome video",
        'He said: "Guten Tag, wie geht es Ihnen? Ich bin sehr müde und ich habe Hunger." She did not understand.',
    ],
)  # fmt: skip
def test_what_is_short_or_mixed_tells_none(text: str) -> None:
    assert text_language(text) is None


@pytest.mark.parametrize(
    ("voice", "language"),
    [
        ("ff_siwis", "fr"), ("pm_alex:2+pf_dora", "pt"), ("fr-CA-female", "fr"), ("de", "de"), ("EN-us-neutral", "en"),
        ("bm_george", "en"), ("alloy", None), ("", None), ("a:b:c", None),
    ],
)  # fmt: skip
def test_a_voice_tells_its_language_by_its_name(voice: str, language: str | None) -> None:
    assert voice_language(voice) == language


def test_the_request_comes_first_then_the_voice_then_the_text() -> None:
    assert given_language(Brief(prompt=GERMAN, language="nl"), voice_given=False) == "nl"
    assert given_language(Brief(prompt=GERMAN), voice_given=False) == "de"
    # An idea may be in another language than the narration; the voice says which one is wanted.
    idea = Brief(prompt=GERMAN, voice="ff_siwis")
    assert given_language(idea, voice_given=True) is None and brief_language(idea) == "fr"
    # What is read word for word is not read by a voice of another language.
    assert given_language(Brief(prompt="", script=GERMAN, voice="ff_siwis"), voice_given=True) == "de"
    scenes = (SceneBrief(narration=GERMAN),)
    assert given_language(Brief(prompt="", scenes=scenes, voice="af_heart"), voice_given=True) == "de"
    assert given_language(Brief(prompt="", script=GERMAN, voice="de-DE-female"), voice_given=True) is None
    assert unreadable_as(Brief(prompt="", script="Солнце садится над морем.", language="en")) == "ru"
    assert unreadable_as(Brief(prompt="", script="Солнце садится над морем.", language="uk")) is None
    assert unreadable_as(Brief(prompt="", script=GERMAN, language="en")) is None
    assert given_language(Brief(prompt="The sea and the sky are blue, and all is well."), voice_given=False) is None


def test_numbers_do_not_hide_a_language() -> None:
    text = (
        "Am 3. Oktober 1990 zahlte Dr. Müller 1.250,50 € für 21 Bücher, d. h. 12,5 % mehr als im 19. Jh. Um 14:30 Uhr "
        "kamen z. B. 3,5 kg Äpfel an. Die Größe beträgt ca. 1/2 m². Ist das wahr?"
    )
    assert text_language(text) == "de"
