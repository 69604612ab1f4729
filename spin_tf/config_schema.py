"""The shape of a configuration file: what can be set, what it means, and what it is when nobody sets it."""

from __future__ import annotations

from dataclasses import dataclass, field

from spin_tf._types import JsonObject
from spin_tf.contract.preprocessing import IMAGE_SIZE, Preprocessing

TRANSFORMATIONS = ("none", "tps", "spn", "spin", "ga_spn", "ga_spin")
BACKBONES = {"resnet32": 4, "lcnet": 3}  # each with the number of its stages
STAGES = ("transformation", "backbone", "encoder", "decoder")
# What model.transformation.preset fills in.
PRESETS: dict[str, JsonObject] = {
    "paddle_parity": {
        "align_corners": True,
        "localization_norm": "scale_shift",
        "instance_norm_affine": True,
        "initial_control_points": "slanted",
        "extra_rows": True,
    },
    "davar_parity": {
        "align_corners": False,
        "localization_norm": "batch",
        "instance_norm_affine": False,
        "initial_control_points": "slanted",
        "extra_rows": False,
    },
}


@dataclass
class TransformationConfig:
    """Rectification in front of the backbone; the defaults are the paper's GA-SPIN.

    Args:
        name: one of none, tps, spn (no offsets), spin (SPN + AIN), ga_spn (SPN + TPS), ga_spin (SPN + AIN + TPS).
        num_power_pairs: K; the structure-preserving transformation has 2K + 1 exponents.
        num_control_points: F, even: half of the points on the upper edge, half on the lower.
        localization_width: channels of the first localisation convolution (32 in the paper).
        align_corners: sampling convention; False is the paper's meaning, True PaddleOCR's.
        localization_norm: "batch", or "scale_shift" (stored statistics are used while training too, as in PaddleOCR).
        instance_norm_affine: a learned scale and bias after the instance norm (PaddleOCR) or none (DAVAR-Lab-OCR).
        initial_control_points: "identity", or "slanted" (both published codes).
        extra_rows: PaddleOCR's untrained dense layer behind the three affine rows of the thin-plate spline.
    """

    name: str = "ga_spin"
    num_power_pairs: int = 6
    num_control_points: int = 20
    localization_width: int = 32
    align_corners: bool = False
    localization_norm: str = "batch"
    instance_norm_affine: bool = True
    initial_control_points: str = "identity"
    extra_rows: bool = False


@dataclass
class BackboneConfig:
    """What makes time steps of features from the rectified image.

    Args:
        name: "resnet32" of FAN (the paper's), or "lcnet", the light one of PP-OCRv6, whose published weights
            `bin/import_checkpoint.py` reads.
        width: channels of the last stage: the paper's c = 512; 384 in PP-OCRv6.
        num_blocks: residual blocks of each stage: four numbers for resnet32, three for lcnet (3, 6, 2 in PP-OCRv6).
    """

    name: str = "resnet32"
    width: int = 512
    num_blocks: list[int] = field(default_factory=lambda: [1, 2, 5, 3])


@dataclass
class EncoderConfig:
    """Stacked bidirectional LSTMs, each followed by a dense layer of `features[i]` outputs.

    None scales with the backbone: units = width / 2, features = [width / 2, width].
    """

    units: int | None = None
    features: list[int] | None = None


@dataclass
class DecoderConfig:
    """Attention decoder: `units` of its LSTM cell and of the attention; None: half the width of the backbone."""

    units: int | None = None


@dataclass
class ModelConfig:
    """Everything that determines a model's weights and what they mean.

    Args:
        name: written into exported files.
        image_size: (height, width) of the network's input.
        wide_image_size: the same for crops that are more than five times as wide as high; None reads all at image_size.
        charset: see `spin_tf.charset.Charset.from_spec`.
        max_length: the longest word in characters; the decoder takes one step more, for the end.
    """

    name: str = "spin"
    image_size: list[int] = field(default_factory=lambda: list(IMAGE_SIZE))
    wide_image_size: list[int] | None = None
    charset: str = "36"
    max_length: int = 25
    transformation: TransformationConfig = field(default_factory=TransformationConfig)
    backbone: BackboneConfig = field(default_factory=BackboneConfig)
    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    decoder: DecoderConfig = field(default_factory=DecoderConfig)

    @property
    def preprocessing(self) -> Preprocessing:
        """How pictures become the network's input."""
        wide = self.wide_image_size
        return Preprocessing((self.image_size[0], self.image_size[1]), (wide[0], wide[1]) if wide else None)


@dataclass
class SourceConfig:
    """One source of training words.

    Args:
        files: paths or glob patterns of TFRecords.
        weight: its share in a batch, in proportion to the other sources' weights.
        final_weight: the weight at the last step, reached linearly; None keeps `weight`.
        augmentation: strength of the augmentation, 0 (none) to 2; 1 suits most words.
    """

    files: list[str] = field(default_factory=list)
    weight: float = 1.0
    final_weight: float | None = None
    augmentation: float = 1.0


@dataclass
class DataConfig:
    """What is trained and validated on.

    Args:
        train: sources by name.
        validation: paths or glob patterns of TFRecords by name.
        validation_protocol: what counts as right: "charset" compares all that the charset can write, and folds case
            only where the charset does; "alphanumeric", "letters" and "exact" are those of bin/evaluate.py.
        on_corrupt: what a broken shard, record or image does: "raise" stops the run and names it; "skip" says so and
            goes on with the words around it.
    """

    train: dict[str, SourceConfig] = field(default_factory=dict)
    validation: dict[str, list[str]] = field(default_factory=dict)
    validation_protocol: str = "charset"
    on_corrupt: str = "raise"


@dataclass
class OptimizerConfig:
    """AdamW or Muon and its schedule.

    Args:
        name: "adamw", or "muon": orthogonalised momentum for the kernels of hidden layers, AdamW for all else.
        learning_rate: the highest.
        schedule: "cosine" (to `final_factor` of it), "piecewise" (times `factor` at each of `boundaries`), or
            "constant", for a run whose end is not known: it keeps the rate until `decay_from`.
        warmup_steps: linear rise from 0.
        decay_from: the step from which a "constant" rate falls in a line to `final_factor` of it at the last step; None
            keeps it. Both may be set when the run is well on its way: a run goes on with the new end.
        boundaries: fractions of all steps, for "piecewise"; the paper drops by 0.3 at epochs 3, 4 and 5 of 6.
        loc_lr: factor for the localisation network's last layer.
        stage_rates: factor for all weights of a stage (transformation, backbone, encoder, decoder), by its name; a
            pretrained backbone wants some 0.1.
        weight_decay: not applied to biases, norms and the localisation output.
        clip_norm: bound of the gradient's global norm.
        ema: decay of the moving average that validation and shipped weights use; 0 turns it off.
    """

    name: str = "adamw"
    learning_rate: float = 1e-3
    schedule: str = "cosine"
    warmup_steps: int = 500
    decay_from: int | None = None
    boundaries: list[float] = field(default_factory=lambda: [0.5, 0.667, 0.833])
    factor: float = 0.3
    final_factor: float = 0.01
    beta_1: float = 0.9
    beta_2: float = 0.999
    loc_lr: float = 0.1
    stage_rates: dict[str, float] = field(default_factory=dict)
    weight_decay: float = 0.0
    clip_norm: float = 5.0
    ema: float = 0.0


@dataclass
class TrainingConfig:
    """One run.

    Args:
        steps: optimizer steps in all.
        minutes: length of the run instead, on one machine; the learning rate then follows the clock, and the weights of
            sources still move with the steps, of which `steps` is the most there may be.
        batch_size: global: over all replicas.
        dtype: Keras's policy, float32 or mixed_bfloat16.
        label_smoothing: share of the target spread over all tokens.
        ctc_weight: of a CTC loss on the encoder's states, through a dense layer that is dropped after training; 0
            leaves it out. A run's checkpoints hold that layer.
        validate_every: steps from one validation to the next.
        checkpoint_every: steps from one checkpoint to the next.
        log_every: steps from one line of the log to the next.
        init_from: a .keras file, a model_dir or a folder of weights to start from; rows of characters that both
            charsets have are kept.
        init_partly: start although less than half of the model's weights are found in init_from.
        seed: of the initial weights, the order of the words and the augmentation.
        explode: a loss above this many times its running mean (plus 1) stops the run; 0 turns the guard off.
        freeze: stages whose weights and statistics stay as they are: transformation, backbone, encoder, decoder.
        deterministic: the same weights to the last bit whenever the same run is done again on one device.
        keep_checkpoints: how many of the latest stay in model_dir.
    """

    steps: int = 10000
    minutes: float | None = None
    batch_size: int = 64
    seed: int = 0
    dtype: str = "float32"
    label_smoothing: float = 0.0
    ctc_weight: float = 0.0
    validate_every: int = 1000
    checkpoint_every: int = 500
    log_every: int = 20
    init_from: str | None = None
    init_partly: bool = False
    explode: float = 10.0
    freeze: list[str] = field(default_factory=list)
    deterministic: bool = True
    keep_checkpoints: int = 2
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)


@dataclass
class Config:
    """The whole configuration file."""

    model: ModelConfig = field(default_factory=ModelConfig)
    data: DataConfig = field(default_factory=DataConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
