"""Configuration files: YAML and overrides into the dataclasses of `config_schema`, checked before any work starts."""

from __future__ import annotations

import copy
import dataclasses
import math
from typing import Any

from spin_tf._extras import require
from spin_tf._resources import find_recipe
from spin_tf._types import JsonObject
from spin_tf.charset import Charset
from spin_tf.config_schema import (
    BACKBONES,
    PRESETS,
    STAGES,
    TRANSFORMATIONS,
    BackboneConfig,
    Config,
    DataConfig,
    DecoderConfig,
    EncoderConfig,
    ModelConfig,
    OptimizerConfig,
    SourceConfig,
    TrainingConfig,
    TransformationConfig,
)
from spin_tf.config_yaml import apply_overrides, escape, read_yaml, resolve, write_yaml
from spin_tf.evaluation.metrics import PROTOCOLS

__all__ = [
    "BACKBONES",
    "PRESETS",
    "STAGES",
    "TRANSFORMATIONS",
    "BackboneConfig",
    "Config",
    "DataConfig",
    "DecoderConfig",
    "EncoderConfig",
    "ModelConfig",
    "OptimizerConfig",
    "SourceConfig",
    "TrainingConfig",
    "TransformationConfig",
    "from_dict",
    "load",
    "save",
    "validate",
    "validate_model",
]


def load(path: str, overrides: list[str] | tuple[str, ...] = ()) -> Config:
    """Reads a YAML file, or a recipe of configs/ by its name, applies `key=value` overrides, and checks everything.

    An override replaces what the file has under its key, whole: `data.validation={}` leaves no set, and `key=null` is
    the key left out. A value is YAML; one of a key that holds a text is taken as it stands, with its spaces and quotes.
    `model.transformation.preset: paddle_parity` (or another of `PRESETS`) fills in what the file leaves open.

    Raises:
        ValueError: names the key, the value, and what is allowed.
        FileNotFoundError: there is no such file.
    """
    require("omegaconf", "Training", "train")
    values = read_yaml(str(find_recipe(path)))
    apply_overrides(values, overrides)
    values = resolve(values)
    model = values.get("model")
    transformation = model.get("transformation") if isinstance(model, dict) else None
    if isinstance(transformation, dict) and "preset" in transformation:
        preset = transformation.pop("preset")
        _allow("model.transformation.preset", preset, tuple(PRESETS))
        values["model"]["transformation"] = {**PRESETS[preset], **transformation}
    return validate(from_dict(Config, values))


def save(config: Config | ModelConfig, path: str) -> None:
    """Writes the resolved configuration as YAML, whole or its `model` alone; `load` reads either."""
    values = dataclasses.asdict(config)
    values = values if isinstance(config, Config) else {"model": values}
    # By its characters: a file of them may change or be elsewhere when the run goes on.
    values["model"]["charset"] = Charset.from_spec(values["model"]["charset"]).spec
    write_yaml(values, path)


def validate(config: Config) -> Config:
    """Checks what types cannot say; see `validate_model`. A charset from a file becomes its characters.

    Raises:
        ValueError: names the key, the value, and what is allowed.
    """
    config = dataclasses.replace(config, model=validate_model(config.model))
    try:
        config.model.charset = Charset.from_spec(config.model.charset).spec
    except (ValueError, OSError) as error:
        raise ValueError(f"model.charset: {error}") from error
    training, optimizer = config.training, config.training.optimizer
    _allow("data.validation_protocol", config.data.validation_protocol, ("charset", *PROTOCOLS))
    _allow("data.on_corrupt", config.data.on_corrupt, ("raise", "skip"))
    # mixed_float16 would need a loss scale; every device with fast float16 since 2020 has bfloat16.
    _allow("training.dtype", training.dtype, ("float32", "mixed_bfloat16"))
    _allow("training.optimizer.name", optimizer.name, ("adamw", "muon"))
    _allow("training.optimizer.schedule", optimizer.schedule, ("cosine", "piecewise", "constant"))
    if optimizer.decay_from is not None:
        if optimizer.schedule != "constant":
            raise ValueError(
                "training.optimizer.decay_from is for the schedule constant. "
                f"Received: decay_from={optimizer.decay_from} with schedule={optimizer.schedule}"
            )
        if not 0 <= optimizer.decay_from < training.steps:
            raise ValueError(
                f"training.optimizer.decay_from must be a step before the last, {training.steps}. "
                f"Received: {optimizer.decay_from}"
            )
    for i, stage in enumerate(training.freeze):
        _allow(f"training.freeze[{i}]", stage, STAGES)
    if set(training.freeze) == set(STAGES):
        raise ValueError(f"training.freeze must leave a stage to train. Received: {training.freeze}")
    for name in ("steps", "batch_size", "validate_every", "checkpoint_every", "log_every", "keep_checkpoints"):
        _positive(f"training.{name}", getattr(training, name))
    if training.minutes is not None:
        _positive("training.minutes", training.minutes)
    _positive("training.optimizer.learning_rate", optimizer.learning_rate)
    _positive("training.optimizer.clip_norm", optimizer.clip_norm)
    _positive("training.optimizer.factor", optimizer.factor)
    _in_range("training.label_smoothing", training.label_smoothing, 1.0)
    _in_range("training.ctc_weight", training.ctc_weight)
    for name in ("ema", "beta_1", "beta_2"):
        _in_range(f"training.optimizer.{name}", getattr(optimizer, name), 1.0)
    for name in ("warmup_steps", "loc_lr", "weight_decay", "final_factor"):
        _in_range(f"training.optimizer.{name}", getattr(optimizer, name))
    for stage, rate in optimizer.stage_rates.items():
        _allow("training.optimizer.stage_rates", stage, STAGES)
        _positive(f"training.optimizer.stage_rates.{stage}", rate)
    _in_range("training.explode", training.explode)
    _in_range("training.seed", training.seed)
    for boundary in optimizer.boundaries:
        _in_range("training.optimizer.boundaries", boundary, 1.0)
    _validate_sources(config.data)
    return config


def _validate_sources(data: DataConfig) -> None:
    for name, source in data.train.items():
        weights = [source.weight, source.weight if source.final_weight is None else source.final_weight]
        if not min(weights) >= 0 or not max(weights) > 0:
            raise ValueError(f"data.train.{name}.weight must not be negative, nor always 0. Received: {weights}")
        if not 0 <= source.augmentation <= 2:
            raise ValueError(f"data.train.{name}.augmentation must be in [0, 2]. Received: {source.augmentation!r}")
        if not source.files:
            raise ValueError(f"data.train.{name}.files must name files. Received: []")
    for end in ("weight", "final_weight"):
        values = [getattr(s, end) if getattr(s, end) is not None else s.weight for s in data.train.values()]
        if values and sum(values) <= 0:
            raise ValueError(f"data.train.*.{end} must not be 0 for all sources. Received: {values}")


def from_dict(schema: type, values: JsonObject, path: str = "") -> Any:
    """Fills a dataclass from nested dicts; unknown keys and wrong types are errors that name the key.

    Raises:
        ValueError: names the key, the value, and what is allowed.
    """
    omegaconf = require("omegaconf", "Training", "train")
    try:
        filled = omegaconf.OmegaConf.merge(omegaconf.OmegaConf.structured(schema), escape(values))
        return omegaconf.OmegaConf.to_object(filled)
    except omegaconf.errors.OmegaConfBaseException as error:
        key = f"{path}{error.full_key or ''}".rstrip(".") or "the configuration"
        reason = str(error).splitlines()[0]
        if dataclasses.is_dataclass(error.object_type) and isinstance(error, omegaconf.errors.ConfigKeyError):
            reason = f"allowed here: {', '.join(f.name for f in dataclasses.fields(error.object_type))}"
        value = omegaconf.OmegaConf.select(omegaconf.OmegaConf.create(escape(values)), error.full_key or "")
        raise ValueError(f"{key} is not allowed; {reason}. Received: {key}={value}") from error


def _image_size(key: str, size: list[int]) -> None:
    if len(size) != 2 or size[0] != 32 or size[1] < 32 or size[1] % 4:
        raise ValueError(f"{key} must be [32, width] with a width of at least 32, divisible by 4. Received: {size}")


def validate_model(config: ModelConfig) -> ModelConfig:
    """Checks what types cannot say, and returns a copy in which nothing is left to be derived.

    Raises:
        ValueError: names the key, the value, and what is allowed.
    """
    t = config.transformation
    _allow("model.transformation.name", t.name, TRANSFORMATIONS)
    _allow("model.transformation.localization_norm", t.localization_norm, ("batch", "scale_shift"))
    _allow("model.transformation.initial_control_points", t.initial_control_points, ("identity", "slanted"))
    _positive("model.transformation.num_power_pairs", t.num_power_pairs)
    _positive("model.transformation.localization_width", t.localization_width)
    if t.num_control_points < 4 or t.num_control_points % 2:
        raise ValueError(
            f"model.transformation.num_control_points must be even and at least 4. Received: {t.num_control_points}"
        )
    _image_size("model.image_size", config.image_size)
    if config.wide_image_size is not None:
        _image_size("model.wide_image_size", config.wide_image_size)
        if config.wide_image_size[1] <= config.image_size[1]:
            raise ValueError(
                f"model.wide_image_size must be wider than model.image_size. Received: {config.wide_image_size} and "
                f"{config.image_size}"
            )
    if config.backbone.width < 16 or config.backbone.width % 16:
        raise ValueError(f"model.backbone.width must be a multiple of 16. Received: {config.backbone.width}")
    _allow("model.backbone.name", config.backbone.name, tuple(BACKBONES))
    num_stages = BACKBONES[config.backbone.name]
    if len(config.backbone.num_blocks) != num_stages or min(config.backbone.num_blocks) < 1:
        raise ValueError(
            f"model.backbone.num_blocks must be {num_stages} numbers of at least 1 for {config.backbone.name}. "
            f"Received: {config.backbone.num_blocks}"
        )
    config = copy.deepcopy(config)
    half = config.backbone.width // 2
    if config.encoder.units is None:
        config.encoder.units = half
    if config.encoder.features is None:
        config.encoder.features = [half, config.backbone.width]
    if config.decoder.units is None:
        config.decoder.units = half
    if not config.encoder.features:
        raise ValueError("model.encoder.features must name at least one layer. Received: []")
    for name, value in [
        ("encoder.units", config.encoder.units),
        ("decoder.units", config.decoder.units),
        ("max_length", config.max_length),
        *(("encoder.features", f) for f in config.encoder.features),
    ]:
        _positive(f"model.{name}", value)
    return config


def _allow(name: str, value: object, allowed: tuple[object, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(map(str, allowed))}. Received: {value!r}")


def _positive(name: str, value: float) -> None:
    if not 0 < value < math.inf:
        raise ValueError(f"{name} must be positive. Received: {value!r}")


def _in_range(name: str, value: float, top: float = math.inf) -> None:
    if not 0 <= value < top:
        allowed = "at least 0" if top == math.inf else f"in [0, {top:g})"
        raise ValueError(f"{name} must be {allowed}. Received: {value!r}")
