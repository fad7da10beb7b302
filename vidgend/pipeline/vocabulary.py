"""Words that the planner and the footage and music adapters know. Tables and pure functions only.

The lists are short on purpose: they decide which words make a good search, not what a text means.
"""

from __future__ import annotations

import re
import unicodedata

MOODS: tuple[str, ...] = ("calm", "energetic", "happy", "nostalgic", "tender")

_STOP_TEXT: dict[str, str] = {
    "en": """a about above across after again against all along also although always am among an and
        another any anyone anything are around as at away back be became because become becomes been
        before behind being below beneath beside besides between beyond both but by can cannot could did
        do does doing done down during each either else enough even ever every everyone everything few
        first for from further get gets getting give gives go goes going got had has have having he her
        here hers him his how however i if in inside instead into is it its itself just keep keeps kept
        last least less let lets like made make makes making many may me might more most much must my near
        need needs neither never next no nobody none nor not nothing now of off often on once one only
        onto or other others our out outside over own per perhaps put quite rather really same say says
        see seem seems she should since so some someone something sometimes soon still such take takes
        than that the their them themselves then there these they thing things this those though through
        throughout thus till to together too toward towards two under until up upon us use used uses using
        very via was we well went were what when where whether which while who whole whom whose why will
        with within without would yes yet you your yours""",
    "de": """ab aber alle allem allen aller alles als also am an andere anderen auch auf aus bei
        beim bin bis bist da damit dann das dass dein dem den denn der des die dies diese diesem diesen
        dieser dieses doch dort du durch ein eine einem einen einer eines er es etwas euch für gegen
        gibt hab habe haben hat hatte hier hin ich ihm ihn ihr ihre ihrem ihren ihrer im in ins ist ja
        jede jeder jedes kann kein keine können man mehr mein mit muss nach nicht noch nun nur ob oder
        ohne sehr sein seine seinem seinen seiner sich sie sind so soll über um und uns unser unter viel
        vom von vor war waren was weil wenn wer werden wie wir wird wo wurde zu zum zur zwischen""",
    "fr": """à ai alors après au aussi autre aux avait avant avec avoir beaucoup bien ce cela ces cet
        cette ceux chaque chez comme comment dans de des deux donc du elle elles en encore entre est et
        était être eu eux fait font ici il ils je la le les leur leurs lui ma mais me même mes moins mon
        ne nos notre nous on ont ou où par pas peu peut plus pour pourquoi quand que quel quelle qui sa
        sans se ses si son sont sous sur ta te tes ton tous tout toute toutes très tu un une vers vos
        votre vous y c d j l m n qu s t""",
    "es": """a al algo algunos ante antes aquí así aunque cada como con contra cual cuando de del desde
        donde dos el él ella ellas ellos en entre era es esa ese eso esta está estas este esto estos fue
        ha hace hacia han hasta hay la las le les lo los más me mi mientras mucho muy nada ni no nos
        nosotros nuestra nuestro o otra otro para pero poco por porque que qué quien se sea ser si sí sin
        sobre son su sus también tan tanto te tiene todo todos tras tu tus un una uno unos y ya yo""",
    "it": """a ad ai al alla alle allo anche ancora c che chi ci come con così cui d da dai dal dalla
        dalle dei del della delle dello di dove due e è ed era essere fa fra gli ha hanno i il in io l la
        le lei lo loro lui ma mentre mi mia mio molto ne nei nel nella nelle noi non nostra nostro o ogni
        per perché più poco poi prima quale quando quanto quella quello questa queste questi questo qui se
        sempre senza si sia sono sopra sotto su sua sue sugli sul sulla suo suoi tra tu tutti tutto un una
        uno vi voi""",
    "pt": """a à ao aos aquela aquele as às até cada com como da das de dela dele depois do dos e é ela
        elas ele eles em entre era essa esse esta está este eu foi há isso isto já lhe mais mas me mesmo
        meu minha muito na não nas nem no nos nós nossa nosso num numa o os ou para pela pelas pelo pelos
        por porque qual quando que quem se sem ser seu sua são só sobre também te tem todo todos tu um uma
        você""",
    "nl": """aan al alles als altijd andere ben bij daar dan dat de der deze die dit doch doen door dus
        een en er ge geen had heb hebben heeft hem het hier hij hoe hun iemand iets ik in is ja je kan kon
        maar me meer men met mij mijn moet na naar niet niets nog nu of om omdat onder ons ook op over te
        tegen toch toen tot u uit van veel voor want waren was wat we wel werd wezen wie wij wil worden
        zal ze zei zelf zich zij zijn zo zonder""",
}
STOP_WORDS: dict[str, frozenset[str]] = {code: frozenset(text.split()) for code, text in _STOP_TEXT.items()}

_MOOD_TEXT: dict[str, str] = {
    "calm": """ambient breathe calm calming chill contemplative dawn dream dreamy dusk fog forest gentle
        lake lofi lo-fi meditation meditative mellow mindfulness mist moonlight morning mysterious nature
        ocean peace peaceful quiet relax relaxed relaxing rest river sea serene serenity silence silent
        sleep slow snow soft soothing spa space stars still sunrise sunset tranquil underwater waves yoga
        zen""",
    "energetic": """action adrenaline adventure aggressive angry battle boxing cars champion city
        corporate dance dark dramatic driving drums dynamic electronic energetic energy epic excited
        exciting extreme fast fight fire fitness football gaming gym hype intense motivation motivational
        motorcycle powerful race racing rock run running skateboard speed sport sports storm surfing
        techno technology thrilling thunder training urban workout""",
    "happy": """bright celebrate celebration cheerful children comedy cute dog dogs euphoric festival
        friends fun funny happiness happy holiday hopeful inspiring joy joyful kids kitten kittens laugh
        laughter optimistic party picnic playful positive puppies puppy quirky smile smiling summer sunny
        uplifting upbeat vacation""",
    "nostalgic": """ancient autumn childhood classic documentary farewell forgotten grandfather
        grandmother heritage historic historical history lonely lost melancholic melancholy memories
        memory museum nostalgia nostalgic once past rain rainy remember retro ruins sad sorrow uneasy
        vintage war wistful""",
    "tender": """baby babies bride care caring couple emotional family father heartfelt hug intimate kiss
        love loving mother newborn proposal romance romantic sentimental sweet tender tenderness touching
        warm wedding""",
}
MOOD_WORDS: dict[str, str] = {word: mood for mood, text in _MOOD_TEXT.items() for word in text.split()}
"""Word -> mood of the packaged music: both words for moods and things that suggest one."""

_MARKS = (
    r"\u0300-\u036f\u05b0-\u05c7\u064b-\u065f\u0670\u0900-\u0963\u0981-\u09e3\u0a01-\u0a51\u0a81-\u0ae3\u0b01-\u0b63"
    r"\u0b82-\u0bcd\u0c00-\u0c63\u0c81-\u0ce3\u0d00-\u0d63\u0e31-\u0e3a\u0e47-\u0e4e\u102b-\u103e\u17b4-\u17d3"
)
"""What stands on or beside a letter and is none by itself: accents, and the vowel signs of Hindi and its kin."""
_WORD = re.compile(rf"[^\W_](?:[^\W_]|[{_MARKS}])*(?:['’\-][^\W_](?:[^\W_]|[{_MARKS}])*)*")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")
_WIDE = re.compile(
    r"[\u1100-\u11ff\u2e80-\u2fdf\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff]"
)

_ENDINGS = (("ies", "y", 5), ("sses", "ss", 6), ("ing", "", 6), ("ed", "", 5), ("es", "", 5), ("s", "", 4))
"""Ending, what replaces it, and the shortest word it is taken from."""

CHARS_PER_S = 17.0
"""Speaking rate of a narrator at normal speed, in characters with spaces a second, the pauses between sentences
included, for a language that is not in the table."""
_CHARS_PER_S = {"en": 18.0, "es": 16.6, "fr": 19.5, "it": 17.6, "pt": 16.8, "de": 17.0, "hi": 12.3}
"""Measured: two narrations of two sentences each, spoken by two to five of Kokoro's voices (German: espeak-ng). The
voices of one language lie within 9 % of it."""
WIDE_CHARS_PER_S = 5.3
"""The same for Chinese characters (measured, Kokoro's Mandarin voices), each of which is about a syllable; taken for
Japanese and Korean ones as well."""


def words_of(text: str) -> list[str]:
    """The words of `text` as written, without punctuation; inner hyphens and apostrophes stay."""
    return _WORD.findall(text)


def word_count(text: str) -> int:
    """Words separated by white space; scripts without spaces count two characters as one word."""
    wide = len(_WIDE.findall(text))
    return len(_WORD.findall(_WIDE.sub(" ", text))) + (wide + 1) // 2


def has_words(text: str) -> bool:
    """Whether there is anything in a text that can be said: signs and pictures alone cannot."""
    return any(map(str.isalnum, text))


def is_wide(char: str) -> bool:
    """Whether `char` belongs to a script without spaces between words, or to its punctuation."""
    return bool(_WIDE.match(char)) or "\u3000" <= char[:1] <= "\u303f" or "\uff00" <= char[:1] <= "\uffef"


def chars_per_s(language: str) -> float:
    """Speaking rate of a language (BCP-47) that is mostly written in the letters of its own."""
    code = language[:2].lower()
    return WIDE_CHARS_PER_S if code in ("ja", "zh", "ko") else _CHARS_PER_S.get(code, CHARS_PER_S)


def speech_s(text: str, language: str = "en") -> float:
    """Estimated length of `text` when spoken at normal speed, in seconds."""
    text = " ".join(text.split())
    wide = len(_WIDE.findall(text))
    return (len(text) - wide) / _CHARS_PER_S.get(language[:2].lower(), CHARS_PER_S) + wide / WIDE_CHARS_PER_S


def fold(word: str) -> str:
    """Lower case without accents, for comparing."""
    plain = unicodedata.normalize("NFKD", word.casefold())
    return "".join(char for char in plain if not unicodedata.combining(char))


def stem(word: str) -> str:
    """A crude common form of English word forms (`waves`, `crashing` -> `wave`, `crash`); other words pass folded."""
    word = fold(word).removesuffix("'s").removesuffix("’s")
    for ending, put, least in _ENDINGS:
        if word.endswith(ending) and len(word) >= least and not word.endswith(("ss", "us", "is")):
            word = word[: -len(ending)] + put
            break
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "aeiousl":
        word = word[:-1]
    return word.removesuffix("e") if len(word) > 3 else word


def stems_of(text: str, *, language: str = "en") -> list[str]:
    """Stems of the words in `text` that carry meaning, in order, each once. Splits `SunsetBeach01` as well."""
    stop = STOP_WORDS.get(language, STOP_WORDS["en"])
    parts = words_of(_CAMEL.sub(" ", text.replace("_", " ").replace("-", " ")))
    found = dict.fromkeys(stem(part) for part in parts if part.casefold() not in stop)
    return [part for part in found if part]


def search_language(text: str, language: str) -> str:
    """The code of the table in STOP_WORDS that suits `text`: that of `language`, unless another one fits better.

    The declared language is often a default that nobody chose, so the text may overrule it.
    """
    words = [word.casefold() for word in words_of(text)]
    best = language[:2].lower()
    hits = sum(word in STOP_WORDS.get(best, ()) for word in words)
    for code, table in STOP_WORDS.items():
        count = sum(word in table for word in words)
        if count > hits + 1:
            best, hits = code, count
    return best


def text_mood(text: str) -> str | None:
    """The mood that most words of `text` suggest, or None if none does."""
    counts = dict.fromkeys(MOODS, 0)
    for word in words_of(text.casefold()):
        mood = MOOD_WORDS.get(word) or MOOD_WORDS.get(word.removesuffix("s"))
        if mood:
            counts[mood] += 1
    best = max(MOODS, key=lambda mood: counts[mood])
    return best if counts[best] else None


def nearest_mood(word: str) -> str | None:
    """The packaged mood for a mood word of the caller (`melancholic` -> `nostalgic`), or None if it says nothing."""
    return text_mood(word.replace("/", " ").replace("_", " "))
