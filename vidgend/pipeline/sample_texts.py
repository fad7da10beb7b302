"""What a voice says to be heard: one sentence of three to five seconds in each language that a voice here has.

No digits, abbreviations or markup: what is written is what is said. Where the language is one that nobody of us speaks,
it is a greeting and a count. Japanese is in kana, which espeak-ng reads as well. With espeak-ng they last 3.3 to 5.4 s.
"""

from __future__ import annotations

from vidgend.pipeline.speech.voices import primary

_BY_LANGUAGE = {
    "en": "Hello, this is how I sound when I tell a story about the sea.",
    "de": "Guten Tag, so klinge ich, wenn ich eine Geschichte vom Meer erzähle.",
    "fr": "Bonjour, voici ma voix quand je raconte une histoire de la mer.",
    "es": "Hola, así suena mi voz cuando cuento una historia del mar.",
    "it": "Buongiorno, questa è la mia voce quando racconto una storia del mare.",
    "pt": "Olá, esta é a minha voz quando conto uma história do mar.",
    "nl": "Hallo, zo klink ik als ik een verhaal over de zee vertel.",
    "sv": "Hej, så här låter jag när jag berättar en historia om havet.",
    "da": "Hej, sådan lyder jeg, når jeg fortæller en historie om havet.",
    "nb": "Hei, slik høres jeg ut når jeg forteller en historie om havet.",
    "fi": "Hei, tältä kuulostan, kun kerron tarinan merestä.",
    "pl": "Dzień dobry, tak brzmi mój głos, kiedy opowiadam o morzu.",
    "cs": "Dobrý den, takhle zní můj hlas, když vyprávím o moři.",
    "sk": "Dobrý deň, takto znie môj hlas, keď rozprávam o mori.",
    "hu": "Jó napot, így szól a hangom, amikor a tengerről mesélek.",
    "ro": "Bună ziua, așa sună vocea mea când povestesc despre mare.",
    "bg": "Здравейте, така звучи гласът ми, когато разказвам за морето.",
    "el": "Γεια σας, έτσι ακούγεται η φωνή μου όταν μιλώ για τη θάλασσα.",
    "ru": "Здравствуйте, так звучит мой голос, когда я рассказываю о море.",
    "uk": "Добрий день, так звучить мій голос, коли я розповідаю про море.",
    "tr": "Merhaba, benim sesim bu: bir, iki, üç, dört, beş.",
    "ar": "مرحبا، هذا صوتي: واحد، اثنان، ثلاثة، أربعة.",
    "he": "שלום, זה הקול שלי: אחת, שתיים, שלוש, ארבע, חמש.",
    "fa": "سلام، این صدای من است: یک، دو، سه، چهار، پنج.",
    "hi": "नमस्ते, यह मेरी आवाज़ है: एक, दो, तीन, चार, पाँच।",
    "bn": "হ্যালো, এটা আমার কণ্ঠ: এক, দুই, তিন, চার, পাঁচ।",
    "ta": "வணக்கம், இது என் குரல்: ஒன்று, இரண்டு, மூன்று, நான்கு, ஐந்து.",
    "ur": "السلام علیکم، یہ میری آواز ہے: ایک، دو، تین، چار۔",
    "zh": "你好，我来讲一个大海的故事。",
    "ja": "こんにちは、これがわたしのこえです、いち、に、さん、し。",
    "ko": "안녕하세요, 제 목소리입니다: 하나, 둘, 셋, 넷.",
    "vi": "Xin chào, đây là giọng của tôi: một, hai, ba, bốn, năm.",
    "id": "Halo, inilah suara saya: satu, dua, tiga, empat, lima.",
    "th": "สวัสดี นี่คือเสียงของฉัน หนึ่ง สอง สาม สี่ ห้า",
    "ca": "Hola, així sona la meva veu quan explico una història del mar.",
    "hr": "Dobar dan, ovako zvuči moj glas kad pričam o moru.",
    "sr": "Добар дан, овако звучи мој глас кад причам о мору.",
    "sl": "Dober dan, tako zveni moj glas, ko pripovedujem o morju.",
    "et": "Tere, see on minu hääl: üks, kaks, kolm, neli, viis.",
    "lv": "Sveiki, šī ir mana balss: viens, divi, trīs, četri, pieci.",
    "lt": "Labas, tai mano balsas: vienas, du, trys, keturi, penki.",
    "sw": "Habari, hii ni sauti yangu: moja, mbili, tatu, nne.",
    "af": "Hallo, dit is my stem: een, twee, drie, vier, vyf.",
    "is": "Halló, þetta er röddin mín: einn, tveir, þrír, fjórir.",
    "ga": "Dia duit, seo é mo ghuth: a haon, a dó, a trí, a ceathair, a cúig.",
    "cy": "Helo, dyma fy llais i: un, dau, tri, pedwar, pump.",
    "eo": "Saluton, jen mia voĉo, kiam mi rakontas pri la maro.",
    "la": "Salve, haec est vox mea: unus, duo, tres, quattuor.",
}
"""By the language without its region."""


def sample_text(language: str) -> str:
    """What a voice of that language (BCP-47) says; "" for a language of which there is no sentence."""
    return _BY_LANGUAGE.get(primary(language), "")
