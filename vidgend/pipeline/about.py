"""What a whole video is about, in a few words: it tells the crane that is a bird from the one that lifts."""

from __future__ import annotations

from collections import Counter

from vidgend.models import Brief, Storyboard
from vidgend.pipeline.planner.builtin import reads_out
from vidgend.pipeline.vocabulary import stem, stems_of, words_of

MAX_CHARS = 200
MAX_WORDS = 4


def about_of(brief: Brief, storyboard: Storyboard) -> str:
    """The title that a model wrote; the prompt, if it is not itself what is said; else the words that several scenes
    say, "" if there are none: the first sentence of a script says nothing about the others. Slow for long texts.
    """
    if storyboard.planner == "llm":
        return storyboard.title[:MAX_CHARS]
    prompt = " ".join(brief.prompt.split())
    if prompt and (brief.script or brief.scenes or not reads_out(brief)):
        return prompt[:MAX_CHARS]
    scenes = [scene.narration for scene in storyboard.scenes]
    common = Counter(found for text in scenes for found in set(stems_of(text, language=storyboard.language)))
    as_written = {stem(word): word for text in scenes for word in words_of(text)}
    shared = [found for found, count in common.most_common(MAX_WORDS) if count > 1]
    return " ".join(as_written.get(found, found) for found in shared)
