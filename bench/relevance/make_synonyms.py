"""`python -m bench.relevance.make_synonyms FOLDER`: write vidgend/data/related_words.txt from WordNet's files.

FOLDER holds `data.noun`, `index.noun`, `data.verb`, `index.verb` and `cntlist.rev` of WordNet 3.0, such as
/usr/share/wordnet of Debian's package wordnet-base. Source of their format: wordnet.princeton.edu/documentation, wndb(5)
and cntlist(5).

Kept are words that a person would use (seen in WordNet's tagged texts, or an animal, a food, a plant by its one name)
and, of each, the first senses: their other names, what they are a kind of, and what is derived from them.
"""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from pathlib import Path

from vidgend.pipeline.relevance.related import DATA
from vidgend.pipeline.vocabulary import STOP_WORDS, stem

SENSES = {"noun": 2, "verb": 1}
"""How many senses of a word are looked at, the most frequent first."""
SHARE = 0.2
"""A further sense must have been seen so often, of all times that the word was."""
LEVELS = 4
"""So far up a broader word is looked for."""
FEWEST = 3
"""So often must a broader word have been seen: `dog`, not `canid`."""
NAMED = {"05", "13", "20"}
"""Lexicographer files of animals, foods and plants. Source: lexnames(5)."""
TOO_BROAD = frozenset(
    """
    abstraction act action activity amount animal area artifact attribute being body building-block cause cognition
    collection communication concept condition container content covering creation creature device equipment event
    feature form get group idea implement individual instrumentality location make material matter move object man woman
    mammal leader good compound    organism part people period person phenomenon piece place plant point process product property quality quantity
    region relation representation shape signal situation someone something state structure stuff subject substance
    surface system thing time tool unit use vehicle way whole work world worker food fluid liquid be have do take give
    put happen change travel go act transfer touch express say tell have_got cover remove connect
    """.split()
)
"""They hold for so much that they say nothing of a picture."""
NOTICE = """\
# Words that mean the same (=), the broader word (<), words derived from it (~). Made from WordNet by
# bench/relevance/make_synonyms.py; all words are stems (vocabulary.stem).
#
# WordNet 3.0 Copyright 2006 by Princeton University. All rights reserved.
# Permission to use, copy, modify and distribute this software and database and its documentation for any purpose and
# without fee or royalty is hereby granted, provided that you agree to comply with the following copyright notice and
# statements, including the disclaimer, and that the same appear on ALL copies of the software, database and
# documentation, including modifications that you make for internal use or for distribution.
# THIS SOFTWARE AND DATABASE IS PROVIDED "AS IS" AND PRINCETON UNIVERSITY MAKES NO REPRESENTATIONS OR WARRANTIES,
# EXPRESS OR IMPLIED. BY WAY OF EXAMPLE, BUT NOT LIMITATION, PRINCETON UNIVERSITY MAKES NO REPRESENTATIONS OR
# WARRANTIES OF MERCHANTABILITY OR FITNESS FOR ANY PARTICULAR PURPOSE OR THAT THE USE OF THE LICENSED SOFTWARE, DATABASE
# OR DOCUMENTATION WILL NOT INFRINGE ANY THIRD PARTY PATENTS, COPYRIGHTS, TRADEMARKS OR OTHER RIGHTS.
# The name of Princeton University or Princeton may not be used in advertising or publicity pertaining to distribution
# of the software and/or database. Title to copyright in this software, database and any associated documentation shall
# at all times remain with Princeton University and LICENSEE agrees to preserve same.
"""


class Synset:
    def __init__(self, line: str) -> None:
        fields = line.split(" | ")[0].split()
        self.file, count = fields[1], int(fields[3], 16)
        self.words = [fields[4 + 2 * place] for place in range(count)]
        rest = fields[4 + 2 * count :]
        self.links = [tuple(rest[1 + 4 * place : 5 + 4 * place]) for place in range(int(rest[0]))]


def main(folder: Path) -> None:
    seen: Counter[str] = Counter()
    of_sense: Counter[tuple[str, str, int]] = Counter()
    for line in (folder / "cntlist.rev").open(encoding="ascii"):
        key, number, count = line.split()
        word, _, rest = key.partition("%")
        seen[word] += int(count)
        of_sense[word, {"1": "noun", "2": "verb"}.get(rest[0], ""), int(number) - 1] += int(count)
    synsets = {kind: dict(_synsets(folder / f"data.{kind}")) for kind in SENSES}
    index = {kind: dict(_index(folder / f"index.{kind}")) for kind in SENSES}
    same, broader, derived = (defaultdict[str, set[str]](set) for _ in range(3))
    for kind, senses in SENSES.items():
        for word, offsets in index[kind].items():
            own = stem(word)
            for rank, offset in enumerate(offsets[:senses]):
                synset = synsets[kind][offset]
                named = kind == "noun" and synset.file in NAMED and synset.words[0] == word
                counts = of_sense[word, kind, rank] > SHARE * seen[word]
                if not _usual(word) or not (counts or (named and rank == 0)):
                    continue
                for other in synset.words:
                    # Not a rare meaning of the other word: nobody who writes `dog` means a `frank`.
                    if _usual(other) and seen[other] and offset in index[kind].get(other, ())[: 2 if rank == 0 else 1]:
                        same[own].add(stem(other))
                if kind == "noun":
                    broader[own] |= _broader(synset, synsets[kind], seen)
                place = 1 + next((at for at, name in enumerate(synset.words) if name == word), 0)
                for mark, offset_there, letter, places in synset.links:
                    there = {"n": "noun", "v": "verb"}.get(letter)
                    if mark == "+" and there and int(places[:2], 16) == place and rank == 0:
                        other = synsets[there][offset_there].words[int(places[2:], 16) - 1]
                        if _usual(other) and seen[other] >= FEWEST:
                            derived[own].add(stem(other))
    lines = []
    for word in sorted({*same, *broader, *derived}):
        kinds = (
            ("=", same[word]),
            ("<", broader[word] - same[word]),
            ("~", derived[word] - same[word] - broader[word]),
        )
        told = [f"{mark}{other}" for mark, others in kinds for other in sorted(others - {word})]
        if told:
            lines.append(f"{word} {' '.join(told)}\n")
    DATA.write_text(NOTICE + "".join(lines), encoding="ascii")
    print(f"{len(lines)} words, {DATA.stat().st_size} bytes")


def _synsets(path: Path) -> list[tuple[str, Synset]]:
    with path.open(encoding="ascii") as lines:
        return [(line[:8], Synset(line)) for line in lines if not line.startswith(" ")]


def _index(path: Path) -> list[tuple[str, list[str]]]:
    found = []
    for line in path.open(encoding="ascii"):
        if not line.startswith(" "):
            fields = line.split()
            found.append((fields[0], fields[-int(fields[2]) :]))
    return found


def _usual(word: str) -> bool:
    return word.isalpha() and word.islower() and len(word) > 2 and word not in STOP_WORDS["en"]


def _broader(synset: Synset, synsets: dict[str, Synset], seen: Counter[str]) -> set[str]:
    """On each way upwards the first word that people use: that of a compound is its last."""
    found, level = set[str](), [synset]
    for _ in range(LEVELS):
        level = [synsets[link[1]] for one in level for link in one.links if link[0] == "@"]
        further = []
        for one in level:
            heads = [name.split("_")[-1] for name in one.words]
            if TOO_BROAD.intersection(heads):
                continue
            usual = next((head for head in heads if _usual(head) and seen[head] >= FEWEST), None)
            if usual is None:
                further.append(one)
            else:
                found.add(stem(usual))
        level = further
    return found


if __name__ == "__main__":
    main(Path(sys.argv[1]))
