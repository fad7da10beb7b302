"""How near two words are in meaning, by a small table made of WordNet (data/related_words.txt) and a few words more.

The table is made by bench/relevance/make_synonyms.py and carries WordNet's licence.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import permutations
from pathlib import Path

from vidgend.pipeline.vocabulary import stem

DATA = Path(__file__).parents[2] / "data" / "related_words.txt"

SAME, NARROWER, BROADER, DERIVED = 0.6, 0.6, 0.3, 0.4
"""How much of a wanted word it is to find another name for it (`sea` for `ocean`), a kind of it (`puppy` for `dog`),
what it is a kind of (`bird` for `heron`), or a word made from it (`baker` for `bake`)."""

_EVERYDAY = """
    ocean sea seascape; beach shore coast seaside shoreline; wave surf; river stream creek; lake pond; forest
    woods woodland jungle; mountain hill peak summit; field meadow pasture; farm ranch farmland; countryside
    rural; desert dune; sky cloud; storm thunderstorm; lightning thunder; fog mist haze; rain raindrop downpour;
    snow snowfall snowy; sunset dusk twilight; sunrise dawn morning; night evening midnight; sun sunlight
    sunshine sunny; star stars starry; galaxy nebula universe cosmos space; planet earth globe; astronaut
    spaceman cosmonaut; rocket spacecraft spaceship; city urban downtown metropolis skyline cityscape;
    skyscraper building tower; street road lane alley; highway freeway motorway; car automobile vehicle; truck
    lorry; bike bicycle cyclist cycling; plane airplane aircraft airliner jet; airport terminal; train railway
    locomotive; subway metro underground; ship boat vessel; traffic cars; dog puppy canine; cat kitten feline;
    horse foal pony; cow cattle calf dairy; chicken hen poultry rooster; bee honeybee beekeeper; bird birds;
    fish fishes; child kid boy girl; baby infant toddler newborn; family parents; mother mom mum; father dad;
    grandmother grandma granny; grandfather grandpa; old elderly senior; couple lovers; friends friendship; man
    guy male; woman lady female; people crowd persons; worker labourer employee; boss manager; businessman
    businesswoman executive; doctor physician surgeon medic; nurse caregiver; hospital clinic; medicine pill
    drug; teacher tutor professor; student pupil schoolgirl schoolboy; school classroom; exam test; book reading
    read; office workplace workspace; desk table; computer laptop pc; phone smartphone cellphone mobile; screen
    monitor display; robot robotic android; code coding programming programmer; server datacenter; chip
    microchip semiconductor processor; money cash coin banknote; shop store shopping; market bazaar; buy
    purchase; cook cooking chef kitchen; bread loaf bakery; bake baking baker; coffee espresso cappuccino; tea
    teacup; wine vineyard; fruit fruits; vegetable veggies; meat steak beef; dinner meal lunch; eat eating food;
    drink beverage; restaurant cafe diner; house home; apartment flat; garden gardening gardener; plant
    seedling; flower blossom bloom; tree trees; leaf leaves foliage; autumn fall; run running runner jogging
    jogger; walk walking; hike hiking hiker trekking; swim swimming swimmer; dive diving diver scuba; ski skiing
    skier; snowboard snowboarding snowboarder; climb climbing climber; gym workout fitness exercise training;
    yoga meditation; soccer football; ball; fight boxing boxer; dance dancing dancer; sing singing singer; music
    musician; guitar guitarist; piano pianist; violin violinist; orchestra symphony; concert gig; film movie
    cinema; photo photograph picture; camera photographer; art artist painting; paint painter painting; church
    cathedral; castle fortress; ruin ruins ancient; soldier army military; war battle; flag banner; king queen
    royal; factory manufacturing industrial; build building construction builder; hammer nail; wood wooden
    timber lumber; repair fix fixing repairing mechanic; faucet tap plumber; fire flame; smoke smoking; water
    underwater; ice frozen; happy smiling joyful; sad crying; tired exhausted; stressed overworked; angry
    arguing; alone lonely solitude; slow slowmotion; old vintage antique retro; trip travel traveler traveller
    tourist tourism; luggage suitcase baggage; map navigation; watch wristwatch clock; ring jewelry; dress
    clothes clothing fashion; shoe sneaker
"""
"""What stock sites call the same things, which WordNet does not know or has too far apart. A word may stand in several
groups."""


@cache
def related() -> Mapping[str, Mapping[str, float]]:
    """For each stem the stems that may stand for it, with how well they do, 0..1. Read once, in a fraction of a
    second."""
    table: dict[str, dict[str, float]] = {}

    def add(wanted: str, found: str, worth: float) -> None:
        at = table.setdefault(wanted, {})
        at[found] = max(worth, at.get(found, 0.0))

    for line in DATA.read_text(encoding="ascii").splitlines():
        if line.startswith("#"):
            continue
        word, *others = line.split()
        for told in others:
            mark, other = told[0], told[1:]
            if mark == "=":
                add(word, other, SAME)
                add(other, word, SAME)
            elif mark == "<":
                add(word, other, BROADER)
                add(other, word, NARROWER)
            else:
                add(word, other, DERIVED)
                add(other, word, DERIVED)
    for group in _EVERYDAY.split(";"):
        for one, other in permutations({stem(word) for word in group.split()}, 2):
            add(one, other, SAME)
    return table
