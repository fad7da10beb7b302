"""The pipeline, from a prompt to a finished file. `ls` of this folder reads as the flow:

    Prompt -> Storyboard -> Scenes -> { Clip ; Speech -> Words -> Captions } -> { Segment ; Sound } -> Video -> Report

| stage file              | in                     | out              | slot   | done once per                        |
|-------------------------|------------------------|------------------|--------|--------------------------------------|
| prompt_to_storyboard.py | Brief                  | Storyboard       | llm    | brief, planner, model                |
| scene_to_clip.py        | queries, target size   | Clip             | net    | query, provider, size, day; file     |
| candidates_to_looks.py  | previews, words        | their order      | cpu    | previews, words, model; off if unset |
| sentence_to_speech.py   | a sentence, voice      | sound, times     | gpu/cpu| text, voice, speed, engine, model    |
| scene_to_speech.py      | narration, voice       | Speech           | io     | its sentences, pauses                |
| speech_to_words.py      | Speech, narration      | Words            | cpu    | speech, text, aligner, model         |
| words_to_captions.py    | Words                  | Captions         | -      | (pure, microseconds)                 |
| scene_to_segment.py     | Clip, Captions, length | Segment, poster  | ffmpeg | clip, captions, look, encoding       |
| scenes_to_transition.py | two scenes' ends       | Segment          | ffmpeg | both clips, captions, look, encoding |
| mood_to_tracks.py       | mood, length           | tracks           | io     | file                                 |
| track_to_parts.py       | track                  | loudness, parts  | io     | file                                 |
| speech_and_music_to_sound.py | Speech, lengths, tracks | Sound      | ffmpeg | all of them                          |
| segments_to_video.py    | Segments, Sound        | MP4, thumbnail   | io     | all of them                          |
| video_to_report.py      | MP4                    | Report           | ffmpeg | the video                            |

`produce.py`, and `storyboard_to_segments.py` for the scenes, know the order; no other file does. A folder is a port:
`port.py`, one file per adapter, a fake.
"""
