"""The model that tells which clip fits.

Sizes and checksums were taken from the package; they are as public projects pin them for this commit of the hub.
Licence: Apache-2.0, by the model card; the package says MIT of itself.
"""

from __future__ import annotations

from vidgend.model_files.model import Model, ModelFile, Packaged, hub
from vidgend.pipeline.relevance.model_files import FOLDER, PACKAGE, PIN, REPOSITORY, VOCABULARY, WEIGHTS

MINILM = Model(
    name="minilm",
    purpose="which clip fits",
    about="all-MiniLM-L6-v2: how near two English texts are in meaning",
    licence="Apache-2.0",
    files=(
        ModelFile(
            path=VOCABULARY,
            size_bytes=231_508,
            sha256="07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
        ),
        ModelFile(
            path=WEIGHTS,
            size_bytes=90_868_376,
            sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        ),
    ),
    folder=FOLDER,
    home=hub(REPOSITORY, "1110a243fdf4706b3f48f1d95db1a4f5529b4d41"),
    packaged=Packaged(
        pins=(PIN,),
        pieces={name: ((PACKAGE, f"model/{name}"),) for name in (VOCABULARY, WEIGHTS)},
        in_place=True,
        alone=True,
    ),
)

RELEVANCE_MODELS = (MINILM,)
