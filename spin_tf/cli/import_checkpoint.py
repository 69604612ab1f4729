"""Takes a published checkpoint as it is: GA-SPIN of PaddleOCR, GA-SPIN and SPIN of DAVAR-Lab-OCR, PP-OCR's backbone.

bin/import_checkpoint.py --input=FILE.pdparams --output=FILE.keras [--charset=SPEC]
bin/import_checkpoint.py --input=rapidocr --output=FILE.keras [--charset=SPEC]

The input is a .pdparams file, a .npz file with the same names, or a PyTorch zip file. Nothing that it holds is run, and
neither PaddlePaddle nor PyTorch is needed. The output is written only after it has been loaded again and met the
published network, computed in plain numpy from the input, on drawn words. Its configuration is written beside it.

An .onnx file of PP-OCR's recogniser (PP-OCRv6_rec_small.onnx; "rapidocr" finds it in the installed package) gives its
backbone to a model whose other stages are fresh: a start for training, compared with the file's own run.
"""

from __future__ import annotations

import pathlib
import time

from absl import flags

from spin_tf._extras import require
from spin_tf._files import check_output_file
from spin_tf.charset import Charset
from spin_tf.cli._run import UserError, without_native_chatter
from spin_tf.importers.checkpoint_file import read_state_dict
from spin_tf.importers.naming import naming_of

_INPUT = flags.DEFINE_string(
    "input", None, "the published checkpoint: .pdparams, .npz, a PyTorch zip file, PP-OCR's .onnx, or rapidocr"
)
_OUTPUT = flags.DEFINE_string("output", None, "the .keras file to write")
_CHARSET = flags.DEFINE_string(
    "charset",
    None,
    "its characters in the order of its classes: file:PATH (one character a line, or all on one line), chars:abc... "
    "or a named charset; by default the published one of 70 or 38 classes",
)


def charset_of(spec: str) -> Charset:
    """A charset as the published pipelines use it: labels are lower-cased unless it has upper-case characters."""
    charset = Charset.from_spec(spec)
    if charset.characters == charset.characters.lower():
        return Charset(charset.characters, fold_case=True, name=charset.name)
    return charset


def main(argv: list[str]) -> None:
    if len(argv) > 1 or not _INPUT.value or not _OUTPUT.value:
        raise UserError(
            "give --input=FILE.pdparams and --output=FILE.keras, nothing else. "
            f"Received: {' '.join(argv[1:]) or 'input=' + str(_INPUT.value) + ', output=' + str(_OUTPUT.value)}"
        )
    output = pathlib.Path(_OUTPUT.value)
    if output.suffix != ".keras":
        raise UserError(f"the output is a .keras file. Received: --output={output}")
    if not output.parent.is_dir():
        raise UserError(f"the folder of the output does not exist. Received: --output={output}")
    check_output_file(str(output))
    charset = charset_of(_CHARSET.value) if _CHARSET.value else None
    start = time.monotonic()
    if _INPUT.value == "rapidocr" or _INPUT.value.endswith(".onnx"):
        _import_backbone(_INPUT.value, output, charset)
        print(_written(output, start))
        return
    arrays = read_state_dict(_INPUT.value)
    naming = naming_of(arrays)
    print(f"read       {len(arrays)} arrays of {naming.name} from {_INPUT.value}", flush=True)

    with without_native_chatter():
        require("tensorflow", "importing a checkpoint", "train")
        require("omegaconf", "importing a checkpoint", "train")
        from spin_tf.importers.verification import import_model

        model, result = import_model(arrays, output, charset)
    config = model.config["transformation"]
    settings = ", ".join(f"{key}={value}" for key, value in config.items() if key != "name")
    print(
        f"model      {config['name']}, width {model.config['backbone']['width']}, {model.count_params():,} parameters, "
        f"charset {model.charset.name} of {len(model.charset.characters)}"
        + (", lower case" if model.charset.fold_case else "")
    )
    print(f"settings   {settings if config['name'] != 'none' else 'no transformation'}")
    words = " ".join(map(repr, result.words))
    print(f"verified   loaded again, against plain numpy: {result}; both read {words}")
    print(_written(output, start))


def _import_backbone(name: str, output: pathlib.Path, charset: Charset | None) -> None:
    with without_native_chatter():
        require("tensorflow", "importing a checkpoint", "train")
        require("omegaconf", "importing a checkpoint", "train")
        from spin_tf.importers import pp_ocr

        path = pp_ocr.find_file(name)
        model, difference = pp_ocr.import_backbone(path, output, charset)
    backbone = model.config["backbone"]
    print(f"read       {path}")
    print(f"model      backbone lcnet, width {backbone['width']}, blocks {backbone['num_blocks']}; all else is fresh")
    print(f"verified   loaded again, features within {difference:.1e} of the file's own run by ONNX Runtime")


def _written(output: pathlib.Path, start: float) -> str:
    size, seconds = output.stat().st_size / 1e6, time.monotonic() - start
    return (
        f"wrote      {output} ({size:.1f} MB) and {output.with_suffix('.yaml')}, its configuration, in {seconds:.0f} s"
    )
