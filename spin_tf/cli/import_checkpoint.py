"""Takes a published checkpoint as it is: PaddleOCR's GA-SPIN, DAVAR-Lab-OCR's GA-SPIN and SPIN.

bin/import_checkpoint.py --input=FILE.pdparams --output=FILE.keras [--charset=SPEC]

The input is a .pdparams file, a .npz file with the same names, or a PyTorch zip file. Nothing that it holds is run, and
neither PaddlePaddle nor PyTorch is needed. The output is written only after it has been loaded again and met the
published network, computed in plain numpy from the input, on drawn words. Its configuration is written beside it.
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

_INPUT = flags.DEFINE_string("input", None, "the published checkpoint: .pdparams, .npz or a PyTorch zip file")
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
    size, seconds = output.stat().st_size / 1e6, time.monotonic() - start
    print(
        f"wrote      {output} ({size:.1f} MB) and {output.with_suffix('.yaml')}, its configuration, in {seconds:.0f} s"
    )
