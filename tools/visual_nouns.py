"""WordNet -> which English words name something that a camera can see: `vidgend/data/words/english.txt.gz`.

    apt-get download wordnet-base && dpkg-deb -x wordnet-base_*.deb wordnet
    python tools/visual_nouns.py wordnet/usr/share/wordnet vidgend/data/words/english.txt.gz

A noun counts as visible by the lexicographer files of its senses (https://wordnet.princeton.edu/documentation/lexnames5wn),
each weighed by how often it was met in the tagged texts (`cntlist.rev`), or the first sense alone where none was; a
verb likewise. Where the senses mislead, what somebody who makes films would say stands below.
"""

from __future__ import annotations

import gzip
import re
import sys
from collections import defaultdict
from pathlib import Path

VISIBLE_NOUNS = {
    5: 1.0, 6: 0.9, 8: 0.9, 13: 1.0, 15: 0.8, 17: 1.0, 18: 0.9, 19: 0.5, 20: 1.0, 27: 0.7, 14: 0.4, 11: 0.4, 25: 0.4,
}  # fmt: skip
"""Lexicographer file -> how visible: animal, artifact, body, food, location, object, person, phenomenon, plant,
substance; group, event and shape half. All others (act, cognition, feeling, time, ...) are not."""
VISIBLE_VERBS = {29: 0.7, 34: 0.9, 35: 0.8, 36: 0.5, 38: 1.0, 43: 1.0}
"""Body, consumption, contact, creation, motion, weather."""
NOUN_LEVELS = ((0.6, "n"), (0.3, "m"), (0.0, "x"))
VERB_LEVELS = ((0.6, "v"), (0.0, "x"))

BY_HAND = {
    "x": """kilometre kilometres kilometer kilometers metres meters miles tonne tons litre liter gram grams
        kilogram centimetre centimeter millimetre millimeter degree degrees spot final broad fund index
        trained noise interest rate rates charge call able absolutely across actually add added adds
        advantage age agent agree agrees allow allows always amazing amount anybody appear appears approach
        area ask asked aspect aspects atmosphere attempt average away awesome back base beautiful
        beautifully become begin beginner beginners believe benefit benefits best better big bigger billion
        bit body bottom bought breathtaking bring brings brought build built buy call called calls came
        carry center centre century certain certainly change changes choose clear clearly come comes common
        company complex concept concepts consider contain contains context core cost cover covered covers
        create creates creating creation cut day days decade decision decisions deep deeply depend detail
        details develop developed device difference different difficult discover discovered dozen draw drop
        easier easily easy edge edges effect effects effort eight end ends entire environment equipment era
        especially essential ever everybody everyone exactly example examples excellent exist exists expect
        expert experts explain explains explore explored extremely face fact factor facts fall falls false
        fantastic far fascinating faster feature feel feeling feelings fell few field finally find finds
        first five follow followed follows foot form formed forms found four front future gave generally get
        give given giving go goal goals gone good gorgeous government great greater grew ground group grow
        grown half happen happened happens hard harder head hear help helps hidden high higher history hit
        hold holds hour hours huge hundred hundreds idea ideas impact important inch include includes
        incredible incredibly individual industry information institution interesting introduction invention
        involve issue issues item items keep key kind kinds know known large larger last lead leader leads
        learn learned leave left let level levels lie life line literally little live lived lives lone long
        look looks lose lost lot lots love loved lovely low lower magnificent main make many mark material
        matter maybe mean meaning means meet member mention meter method methods metre middle mile million
        millions minute minutes modern moment moments month months mouth move moved moves much mystery name
        near nearly need needed never new next nice nine nobody notion number numbers object objects offer
        offers often old once one ones order organisation organization other others overview own owner page
        pair part particular parts pass passed past percent perfect perfectly period piece pieces place
        point possible pot pound power powerful present pretty prevent probably problem problems process
        produce produces product products protect prove provide provides pull purpose push put quality
        quarter question questions quick quickly quiet quietly quite raise range reach reached reaches ready
        real reality reason reasons record reduce region remain remains remarkable remember require requires
        resource result results reveal right rise rises role same say second seconds secret secrets see seem
        seems self sell sense sent set sets seven several short show showed shows side significant simple
        simply sit sits situation six slow slower slowly small smaller sold solution solutions somebody
        someone sort source special spend spoil spoils spread stage stages stand start starts state stay
        stays step steps stick still stop stops story strike structure stuff stunning style subject such
        suddenly suggest support sure surface system systems take tell tells ten term terms thing things
        think thought thoughts thousand thousands three thrive time times tip tips title today told tomorrow
        ton tonight took top topic topics totally track true truly truth try turn turned turns two type
        types understand unique unit use user users usually value values various video view wait want wants
        watch way ways week weeks well went wonder wonderful word words work works world worse worst wrong
        year years yesterday""",
    "a": """red blue green yellow orange purple pink black white grey gray brown golden silver old young ancient
        wooden tall empty crowded snowy rainy sunny foggy misty cloudy stormy dark bright frozen wild rocky
        sandy rusty abandoned colorful colourful busy narrow steep muddy dusty steaming fresh raw ripe dry
        wet aerial underwater""",
    "n": """city village town street school hospital office home people person family crowd couple audience team
        herd flock choir orchestra band army fleet swarm bouquet forest sunset sunrise dawn dusk twilight
        night winter summer autumn spring snow rain storm fire smoke fog mist rainbow lightning aurora
        eclipse wave tide flood avalanche earthquake hurricane tornado wind fog dew frost football soccer
        basketball tennis baseball golf rugby boxing yoga dance ballet concert wedding festival parade
        carnival picnic marathon funeral ceremony birthday party letter newspaper magazine map poster
        photograph photo painting portrait movie cinema handwriting manuscript diary sign banner flag menu
        recipe money coin cash banknote laboratory laptop smartphone app website screen keyboard robot drone
        satellite startup skateboard selfie hashtag blockchain bitcoin traffic rush harvest market bazaar
        sailing skiing swimming surfing fishing cooking baking gardening knitting pottery hiking climbing
        cycling diving camping photography farming firework fireworks campfire playground workshop factory
        classroom lecture exam battlefield explosion volcano eruption lava steam cheese pasta meteor comet
        galaxy nebula planet moon sun earth heart light shadow reflection sky cloud dust mud ash bubble
        droplet breath smile tear wheel engine battery kitchen garden teenager toddler influencer barista
        astronaut scientist hacker gamer honey nectar bacteria virus cell cells dna neuron fitness workout
        gym meal breakfast lunch dinner supper smoothie latte espresso noodle sushi burger renewable
        windmill turbine skyline skyscraper downtown streetlight metro subway airport runway meditation
        massage makeup tattoo hairstyle ribbon gift toy puzzle chess graffiti mural mosaic queue protest
        riot race chase parachute yacht kayak stripe stripes pyramid bear bears animal animals desert deserts field
        fields gold book books television food foods shoe shoes telescope duck ducks sail sails dress dresses bat bats
        nail nails pot pots keys flame flames feet foot eyes pepper church churches ruin ruins
        card cards plant plants train trains net nets anchor anchors buoy coral corals ticket tickets medal medals
        bible skeleton skeletons pharaoh pharaohs scroll scrolls notebook notebooks mask masks passport passports
        ghost ghosts barbecue plow cable cables circuit circuits perfume""",
    "v": """dancing singing reading writing playing riding sleeping working studying typing talking crying praying
        meditating exercising jogging fighting marching teaching burning melting freezing blooming falling rising
        glowing flowing harvesting planting bake cook stir hunt hike blinks digs eats flaps hops
        sprinkles""",
    "m": """technology stock music song war battle game sport work business bank energy electricity heat cold
        sound voice computer internet network data code money shopping trade travel journey trip adventure
        holiday vacation nature landscape weather climate season morning evening afternoon midnight noon
        color colour pattern shape texture fashion design art history machine world space universe science
        medicine sleep dream birth death childhood love friendship crime accident machine system medieval
        ancient roman egyptian viking country""",
}
"""What the senses get wrong, and praise that no search engine knows. The later letter wins."""

_WORD = re.compile(r"[a-z]{2,}(?:-[a-z]+)*")
_NOUN, _VERB, _ADJECTIVE, _ADVERB, _SATELLITE = 1, 2, 3, 4, 5


def sense_files(folder: Path, part: str) -> dict[str, list[int]]:
    """Lemma -> the lexicographer file of each sense, the most frequent sense first. Names are left out."""
    files, common = {}, set()
    for line in (folder / f"data.{part}").read_text().splitlines():
        if line[:1] != " ":
            fields = line.split()
            files[fields[0]] = int(fields[1])
            common.update(fields[4 : 4 + 2 * int(fields[3], 16) : 2])
    found = {}
    for line in (folder / f"index.{part}").read_text().splitlines():
        if line[:1] != " ":
            fields = line.split()
            if fields[0] in common:
                found[fields[0]] = [files[offset] for offset in fields[-int(fields[2]) :]]
    return found


def met(folder: Path) -> dict[tuple[str, int], dict[int, int]]:
    """(lemma, part of speech) -> sense number -> how often."""
    found: dict[tuple[str, int], dict[int, int]] = defaultdict(dict)
    for line in (folder / "cntlist.rev").read_text().splitlines():
        key, number, count = line.split()
        lemma, _, rest = key.partition("%")
        part = int(rest.split(":")[0])
        found[lemma, _ADJECTIVE if part == _SATELLITE else part][int(number)] = int(count)
    return found


Levels = tuple[tuple[float, str], ...]


def visible_share(files: list[int], counts: dict[int, int], weights: dict[int, float]) -> float:
    shares = [(counts.get(number, 0), weights.get(file, 0.0)) for number, file in enumerate(files, 1)]
    total = sum(count for count, _ in shares)
    return sum(count * weight for count, weight in shares) / total if total else shares[0][1]


def classes(folder: Path) -> dict[str, str]:
    """Word -> n (a thing that is seen), m (partly), v (an action that is seen), a (an adjective) or x (none)."""
    nouns, verbs = sense_files(folder, "noun"), sense_files(folder, "verb")
    adjectives, adverbs = sense_files(folder, "adj"), sense_files(folder, "adv")
    counts = met(folder)
    past = irregular(folder, "verb")
    found = {}
    for word in sorted({*nouns, *verbs, *adjectives, *adverbs}):
        if not _WORD.fullmatch(word):
            continue
        known = {
            part: sum(counts[word, part].values()) if (word, part) in counts else 0
            for part, table in ((_NOUN, nouns), (_VERB, verbs), (_ADJECTIVE, adjectives), (_ADVERB, adverbs))
            if word in table
        }
        part = max(known, key=lambda one: (known[one], -one))
        levels: Levels
        if part == _NOUN:
            share, levels = visible_share(nouns[word], counts.get((word, _NOUN), {}), VISIBLE_NOUNS), NOUN_LEVELS
        elif part == _VERB:
            share, levels = visible_share(verbs[word], counts.get((word, _VERB), {}), VISIBLE_VERBS), VERB_LEVELS
        else:
            share, levels = 0.0, ((0.0, "a" if part == _ADJECTIVE else "x"),)
        if word in past and not known[part]:
            continue  # `sang` is a plant as well
        if known[part] or share >= levels[0][0] > 0:  # what is rare, and not seen, need not be known
            found[word] = next(letter for least, letter in levels if share >= least)
    for letter, words in BY_HAND.items():
        found.update(dict.fromkeys(words.split(), letter))
    return found


def irregular(folder: Path, part: str) -> dict[str, str]:
    """Form -> the word that it is a form of."""
    lines = (line.split() for line in (folder / f"{part}.exc").read_text().splitlines())
    return {form: lemma for form, lemma, *_ in lines}


def main() -> None:
    folder, target = Path(sys.argv[1]), Path(sys.argv[2])
    found = classes(folder)
    forms = {
        form: lemma
        for part in ("noun", "verb")
        for form, lemma in irregular(folder, part).items()
        if _WORD.fullmatch(form) and lemma in found and form not in found
    }
    lines = [f"{letter} {' '.join(sorted(word for word in found if found[word] == letter))}" for letter in "nmvax"]
    lines.append("= " + " ".join(f"{form}:{lemma}" for form, lemma in sorted(forms.items())))
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(gzip.compress("\n".join(lines).encode(), 9, mtime=0))
    print(f"{len(found)} words, {len(forms)} irregular forms, {target.stat().st_size} bytes")


if __name__ == "__main__":
    main()
