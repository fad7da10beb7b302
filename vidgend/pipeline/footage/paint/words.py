"""From words to a picture: which theme, palette and composition a query means. Pure tables and counting."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

THEMES: dict[str, str] = {
    "ocean": "ocean sea beach coast shore wave surf tide seaside island lagoon bay harbor harbour sail boat ship"
    " seashore horizon water lake palm tropical swim surfer yacht cruise dolphin lighthouse seagull shoreline sand:1",
    "sky": "sky cloud heaven airplane plane flight fly bird balloon air weather breeze wind sunlight:1 dream:1 freedom"
    " hope:1 eagle kite paraglider angel",
    "mountains": "mountain peak hill alp summit valley ridge cliff highland volcano climb hike hiker glacier canyon"
    " landscape nature:1 scenery trek wilderness fog:1 mist:1",
    "forest": "forest wood tree jungle woodland pine leaf trunk rainforest grove trail:1 deer bear:1 owl moss fern"
    " bamboo timber path:1 nature:1",
    "space": "space star galaxy cosmos universe nebula planet astronomy milky constellation aurora astronaut orbit"
    " rocket night:1 starry:4 stargazing moon:2 solar cosmic interstellar comet meteor"
    " telescope northern:1 light:0.3 satellite asteroid",
    "city": "city urban skyline street skyscraper downtown town traffic building car metropolis tower nightlife road:1"
    " neon apartment bridge:1 taxi highway crowd:1 architecture restaurant:1 bar:1 rooftop york tokyo london paris",
    "rain": "rain raindrop drizzle umbrella puddle wet:1 droplet shower downpour thunderstorm lightning thunder"
    " window:1 storm:1.5 monsoon",
    "snow": "snow snowfall snowy winter:1.5 ice blizzard frost christmas ski snowflake snowman arctic polar freeze sled"
    " december santa holiday:1",
    "desert": "desert dune sahara camel sand:1.5 arid cactus oasis mars pyramid egypt nomad drought",
    "fire": "fire flame campfire ember burn bonfire candle fireplace lava hearth spark heat:1 torch hell inferno"
    " warmth:1 firework grill barbecue",
    "underwater": "underwater fish reef coral dive diver aquarium jellyfish submarine shark seabed snorkel whale turtle"
    " deep:1 scuba bubble:1 octopus",
    "field": "field meadow grass flower garden farm wheat countryside prairie pasture crop blossom lawn butterfly bee"
    " harvest:1.5 rural village:1 picnic spring:1 park:1 agriculture horse cow sheep sunflower lavender tea:0.5",
    "tech": "technology tech data computer digital network code software ai robot internet cyber algorithm machine"
    " artificial intelligence blockchain circuit chip server hacker programming programmer screen"
    " neural electronic app crypto bitcoin analytics automation quantum smartphone phone virtual online developer"
    " startup:1",
}
"""Words by theme; `word:1` weighs 1 instead of 3. Stems are taken on both sides."""

PALETTE_WORDS: dict[str, str] = {
    "sunset": "sunset sundown evening",
    "sunrise": "sunrise dawn morning daybreak awakening",
    "golden": "golden gold warm amber honey glowing",
    "day": "day daylight noon sunny blue clear bright midday summer",
    "night": "night midnight moon moonlight moonlit dark nighttime starry star",
    "dusk": "dusk twilight romantic love romance gloaming",
    "storm": "storm stormy thunder tempest dramatic tense rough lightning hurricane epic danger suspense",
    "winter": "winter cold frozen frost snow ice icy arctic christmas",
    "autumn": "autumn fall:0.5 october november harvest leaves:1",
    "spring": "spring april may:0.2 blossom fresh bloom green",
    "fire": "fire flame burning lava ember hot blaze inferno angry intense energetic:1",
    "calm": "calm peaceful serene relaxing relax tranquil meditation gentle quiet soothing zen ambient mindfulness"
    " sleep",
    "mysterious": "mysterious mystery magic magical enchanted fantasy eerie spooky haunted secret ghost horror strange",
    "joyful": "joyful happy joy cheerful fun upbeat celebration playful party uplifting inspiring hopeful energetic",
    "sad": "sad grief lonely melancholy loss sorrow gray grey gloomy mourning somber war",
    "corporate": "corporate business office meeting company finance work team professional presentation marketing"
    " report economy bank investment management conference",
    "vintage": "vintage retro nostalgia nostalgic old:1 history historic memory ancient past:1 classic",
    "tropical": "tropical island caribbean paradise reef lagoon vacation palm:0.5 hawaii maldives coral",
}

FITS: dict[str, tuple[str, ...]] = {
    "ocean": ("sunset", "sunrise", "golden", "day", "night", "dusk", "storm", "calm", "tropical", "mysterious", "sad",
              "vintage", "joyful", "winter", "neutral", "autumn"),
    "sky": ("day", "sunset", "sunrise", "golden", "night", "dusk", "storm", "calm", "joyful", "sad", "vintage",
            "spring", "mysterious", "winter", "neutral", "tropical", "autumn"),
    "mountains": ("sunrise", "sunset", "golden", "day", "night", "dusk", "storm", "winter", "autumn", "spring", "calm",
                  "mysterious", "sad", "vintage", "joyful", "neutral"),
    "forest": ("golden", "sunrise", "sunset", "day", "night", "dusk", "storm", "autumn", "spring", "calm", "mysterious",
               "winter", "sad", "vintage", "joyful"),
    "space": ("night", "mysterious", "dusk", "fire", "calm", "sunset"),
    "city": ("night", "dusk", "sunset", "sunrise", "golden", "storm", "corporate", "vintage", "mysterious", "sad",
             "winter", "day", "neutral"),
    "rain": ("storm", "night", "sad", "dusk", "calm", "mysterious", "sunset", "neutral", "vintage", "spring"),
    "snow": ("winter", "night", "dusk", "sunset", "sunrise", "calm", "storm", "mysterious", "sad"),
    "desert": ("golden", "sunset", "sunrise", "day", "night", "dusk", "vintage", "mysterious", "fire"),
    "fire": ("fire", "night", "mysterious", "golden"),
    "underwater": ("tropical", "day", "calm", "mysterious", "night", "storm", "sunset"),
    "field": ("spring", "golden", "sunset", "sunrise", "day", "dusk", "autumn", "joyful", "calm", "vintage", "storm",
              "night", "neutral"),
    "tech": ("corporate", "night", "mysterious", "neutral", "fire", "dusk", "day"),
    "abstract": ("neutral", *PALETTE_WORDS),
}  # fmt: skip
"""The palettes that suit a theme; the first is the one taken when no word names another that suits."""

VARIANTS: dict[str, tuple[tuple[str, str], ...]] = {
    "ocean": (
        ("a wide view of the open sea", "ocean:0.3 sea:0.5 open wide horizon boat sail vast beautiful:0.3"),
        ("foam running up the beach", "beach shore sand foam crash wave surf tide walk footprint wash"),
        ("palms over the water", "palm tropical island lagoon vacation paradise beach holiday"),
        ("a close look at the sun over the waves", "sun glitter close shine sunset:0.4 light golden ray sparkle warm"),
        ("great clouds over the sea", "cloud sky color colour weather storm dream breathe"),
        ("a rocky coast", "rock coast cliff island lighthouse bay rugged crash"),
    ),
    "sky": (
        ("drifting clouds", "cloud drift wind"),
        ("above the clouds", "above flight fly plane airplane heaven dream sea"),
        ("birds crossing", "bird freedom eagle migrate wing"),
    ),
    "mountains": (
        ("ridge behind ridge in haze", "ridge haze mist range valley landscape"),
        ("a peak over a lake", "lake reflection peak water calm"),
        ("fog in the valleys", "fog mist cloud valley above"),
        ("pines before the peaks", "pine forest tree hike wilderness"),
    ),
    "forest": (
        ("light shafts between the trunks", "light sun ray beam shaft morning"),
        ("a misty wood", "mist fog deep dark mysterious"),
        ("falling leaves and dust in the light", "leaf fall autumn firefly"),
    ),
    "space": (
        ("a nebula and slow stars", "nebula galaxy cosmos universe deep"),
        ("an aurora over the hills", "aurora northern light polar"),
        ("the milky way over a ridge", "milky way night star sky"),
        ("a planet's edge at dawn", "planet earth orbit astronaut satellite world"),
    ),
    "city": (
        ("a skyline with lit windows", "skyline building skyscraper tower downtown"),
        ("lamps out of focus", "light bokeh street traffic neon night car"),
        ("a skyline across the water", "river harbor harbour water bridge reflection"),
    ),
    "rain": (
        ("drops running down a window", "window drop glass home sad lonely"),
        ("rain over water", "puddle water lake street wet fall"),
    ),
    "snow": (
        ("snow falling on hills", "hill mountain winter landscape fall"),
        ("snow among the pines", "forest tree pine christmas wood"),
        ("soft flakes close by", "snowflake close flake christmas light magic"),
    ),
    "desert": (
        ("dunes behind dunes", "dune sand sahara"),
        ("a low sun over the sand", "sun sunset hot heat"),
    ),
    "fire": (
        ("flames", "flame fire campfire burn bonfire"),
        ("embers rising", "ember spark glow night"),
    ),
    "underwater": (
        ("light rays from the surface", "ray light surface dive swim"),
        ("light dancing on the sea floor", "floor sand reef coral seabed fish"),
    ),
    "field": (
        ("grass in the wind", "grass wind meadow field wheat"),
        ("a flower meadow", "flower blossom garden butterfly bee spring"),
        ("hills and fields", "hill farm countryside village valley crop"),
    ),
    "tech": (
        ("a net of points", "network connect internet social neural team"),
        ("streams of data", "data stream flow code digital"),
        ("a field of light waves", "wave signal sound ai future quantum"),
    ),
    "abstract": (
        ("soft silk", "soft silk calm"),
        ("slow folds", "slow fold deep"),
        ("water colours", "water fresh"),
        ("warm light", "warm light bright"),
    ),
}
"""Compositions in the order of the painter's `variant` numbers: what is seen, and the words that ask for it."""

_PHRASES = {
    "cloud computing": "technology data",
    "in the cloud": "technology data",
    "northern lights": "aurora",
    "milky way": "galaxy milky",
    "night sky": "starry",
    "social media": "internet",
    "golden hour": "golden",
    "ice cream": "joyful",
    "stock market": "finance",
    "machine learning": "technology",
    "sea of clouds": "clouds above",
    "city lights": "city lights",
}
"""Pairs of words that mean something else together; looked up before single words."""

_SUFFIXES = ("ings", "ing", "ies", "ness", "ers", "ed", "ly", "es", "s", "y", "e")


def stem(word: str) -> str:
    """A crude root, the same for `wave`, `waves` and `waving`; only good for comparing two stems."""
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= 3:
            root = word[: -len(suffix)]
            return root[:-1] if len(root) > 3 and root[-1] == root[-2] and root[-1] not in "ls" else root
    return word


def stems(text: str) -> list[str]:
    """The stems of a text's words in order, repeats kept."""
    text = " ".join(text.lower().split())
    for phrase, meant in _PHRASES.items():
        text = text.replace(phrase, meant)
    return [stem(word) for word in re.findall(r"[^\W\d_]+", text)]


def _weights(words: str, usual: float) -> dict[str, float]:
    weights: dict[str, float] = {}
    for entry in words.split():
        word, _, weight = entry.partition(":")
        weights[stem(word)] = float(weight) if weight else usual
    return weights


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """`variants` are the theme's compositions, best fit first. `certain` is False where nothing matched."""

    theme: str
    palette: str
    variants: tuple[int, ...]
    certain: bool


class Lexicon:
    """The tables, stemmed once."""

    def __init__(self) -> None:
        self._themes = {name: _weights(words, 3.0) for name, words in THEMES.items()}
        self._palettes = {name: _weights(words, 3.0) for name, words in PALETTE_WORDS.items()}
        self._variants = {
            theme: tuple(_weights(words, 1.0) for _, words in variants) for theme, variants in VARIANTS.items()
        }

    def read(self, text: str, *, context: str = "", setting: str = "", mood: str = "", seed: int = 0) -> Meaning:
        """What to paint for a query's `text`. The text decides; `context` breaks ties and fills gaps. `setting` only
        lends its light: a market in a story of the sea is no sea, but it is evening there as well."""
        words, around, feeling = stems(text), stems(context), stems(mood)
        # The painter has no people at desks: words of business mean colours, and only other words a place.
        scores = {
            theme: 10 * _score(table, words) + 1.0 * _score(table, around) for theme, table in self._themes.items()
        }
        theme = max(scores, key=lambda name: scores[name])
        certain = _score(self._themes[theme], words) >= 2
        if not certain:  # the words alone name no place; what surrounds them may
            scores = {theme: 2 * _score(table, words) + _score(table, around) for theme, table in self._themes.items()}
            theme = max(scores, key=lambda name: scores[name])
            certain = scores[theme] >= 3
        if not certain:
            theme = "abstract"
        palette = self._palette(theme, words, around, stems(setting), feeling)
        hints = self._variants[theme]
        count = len(hints)
        fit = [3 * _score(table, words) + _score(table, around) for table in hints]
        order = sorted(range(count), key=lambda place: (-fit[place], (place - seed) % count))
        return Meaning(theme=theme, palette=palette, variants=tuple(order), certain=certain)

    def _palette(self, theme: str, words: list[str], around: list[str], setting: list[str], feeling: list[str]) -> str:
        fits = FITS[theme]
        scores = {
            name: 10 * _score(self._palettes[name], words) + 5 * _score(self._palettes[name], around)
            + 3 * _score(self._palettes[name], setting) + 1 * _score(self._palettes[name], feeling)
            for name in fits if name in self._palettes
        }  # fmt: skip
        best = max(scores, key=lambda name: scores[name], default=fits[0])
        return best if scores.get(best, 0) > 0 else fits[0]


def _score(weights: Mapping[str, float], words: Iterable[str]) -> float:
    """Each different word counts once, so that a long text's favourite word does not outweigh all others."""
    return sum(weights.get(word, 0.0) for word in dict.fromkeys(words))
