"""The 114 phoneme symbols that Kokoro-82M knows and their numbers.

Source: `config.json` of hexgrad/Kokoro-82M, key `vocab` (Apache-2.0). Number 0 is the pad at both ends of a call.
"""

from __future__ import annotations

PAD = 0
LONGEST_CALL_SYMBOLS = 510
"""Without the two pads. Source: `max_position_embeddings` 512 in the same file."""

_RUNS = (
    (1, ";:,.!?"), (9, "—…\"()“” \u0303ʣʥʦʨᵝꭧAI"), (31, "O"), (33, "Q"), (35, "ST"), (39, "W"), (41, "Yᵊabcdef"),
    (50, "hijklmnopqrstuvwxyzɑɐɒæ"), (75, "βɔɕç"), (80, "ɖðʤə"), (85, "ɚɛɜ"), (90, "ɟ"), (92, "ɡ"), (99, "ɥ"),
    (101, "ɨɪʝ"), (110, "ɯɰŋɳɲɴø"), (118, "ɸθœ"), (123, "ɹ"), (125, "ɾɻ"), (128, "ʁɽʂʃʈʧ"), (135, "ʊʋ"),
    (138, "ʌɣɤ"), (142, "χʎ"), (147, "ʒʔ"), (156, "ˈˌː"), (162, "ʰ"), (164, "ʲ"), (169, "↓"), (171, "→↗↘"),
    (177, "ᵻ"),
)  # fmt: skip
"""First number of a run of numbers without a gap, and its symbols."""

SYMBOLS = {symbol: start + index for start, run in _RUNS for index, symbol in enumerate(run)}
