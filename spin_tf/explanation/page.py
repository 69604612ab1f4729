"""A page for people who have never seen the model: what each stage made of a crop, pictures inside, no scripts."""

from __future__ import annotations

import html
from collections.abc import Sequence

from spin_tf._page import PAGE_STYLE, data_uri, page
from spin_tf._types import JsonObject
from spin_tf.explanation.pictures import draw_control_points, draw_light, draw_place, to_picture
from spin_tf.explanation.trace import Stages, Step, Trace

STYLE = (
    PAGE_STYLE
    + """
.inside .product{margin:1.1em 0 0;font-size:.9em}
.inside .guide{display:grid;grid-template-columns:repeat(auto-fit,minmax(176px,1fr));gap:.6em 1.6em;margin:1.4em 0;
padding:0;list-style:none;counter-reset:guide}
.inside .guide li{counter-increment:guide;color:var(--soft);font-size:.92em}
.inside .guide b{display:block;color:var(--ink)}
.inside .guide b::before{content:counter(guide) "  ";color:var(--accent)}
.inside .word{margin:1.4em 0;padding:1.1em 1.3em 1.2em;border:1px solid var(--line);border-radius:10px;
background:var(--card)}
.inside .word .note{background:var(--ground)}
.inside header{display:flex;flex-wrap:wrap;align-items:baseline;gap:.2em 1em;margin-bottom:.8em}
.inside h2{margin:0;font-size:1.45em;overflow-wrap:anywhere}
.inside .stages{display:grid;grid-template-columns:repeat(auto-fill,minmax(156px,1fr));gap:1em}
.inside .stage p{margin:.35em 0 0;font-size:.86em;line-height:1.35;color:var(--soft)}
.inside .stage b{color:var(--ink)}
.inside .frame{display:flex;align-items:center;justify-content:center;aspect-ratio:5/2;border-radius:5px;
overflow:hidden}
.inside .frame.fit{background:var(--bar)}
.inside .frame img{width:100%;max-height:100%;object-fit:contain}
.inside .frame.fit img{width:auto;max-width:100%;min-height:60%}
.inside .steps{display:grid;grid-template-columns:repeat(auto-fill,minmax(128px,1fr));gap:1em .9em;margin-top:1.3em;
padding-top:1.1em;border-top:1px solid var(--line)}
.inside .step img{display:block;width:100%;border-radius:4px}
.inside .letter{margin:.15em 0 .1em;font-size:1.5em;font-weight:650;line-height:1.3;text-align:center}
.inside .end{font-size:.6em;font-weight:400;color:var(--soft)}
.inside .bar{display:grid;grid-template-columns:1.7em 1fr 4.1em;align-items:center;gap:.35em;font-size:.82em;
color:var(--soft);font-variant-numeric:tabular-nums}
.inside .bar span:first-child{text-align:center;font:600 1.1em/1.25 ui-monospace,monospace;overflow:hidden}
.inside .bar span:last-child{text-align:right;white-space:nowrap}
.inside .bar i{height:.55em;border-radius:3px;background:var(--bar);overflow:hidden}
.inside .bar u{display:block;height:100%;background:var(--rest)}
.inside .chosen{color:var(--ink)}
.inside .chosen u{background:var(--accent)}
""".replace("\n", "")
)


# Heading and text, and which part of the stages shows it; None where every model does.
_GUIDE = (
    (
        None,
        "The crop",
        "A picture of one word. The model sees it in grey, stretched or squeezed to one size, whatever its shape.",
    ),
    (
        "offset",
        "Offset (AIN)",
        "A small network proposes a brightness for each place, against shadows and gleams. It is mixed into the crop; "
        "the gate says how much of it.",
    ),
    (
        "chromatic",
        "Intensities (SPN)",
        "All grey values pass through one curve that the model chooses for this crop: it can spread what is faint and "
        "calm what is glaring, and leaves every stroke where it is.",
    ),
    (
        "control_points",
        "Shape (TPS)",
        "Dots mark where the model sees the upper (red) and the lower (blue) edge of the text. The crop is bent like "
        "rubber until both edges are straight.",
    ),
    (
        None,
        "Looking and spelling",
        "The word is spelt one character a step. The light shows where in the crop the model looks; the bars show "
        "the three most probable characters. A last step says that the word ends.",
    ),
)
_NO_STAGES = (
    "This model holds only the way from the crop to the word: offset, intensities and shape "
    "happen inside and cannot be shown. A .tflite file that is exported anew shows them, and so does the trained model."
)
_NO_LIGHT = "This model tells only the middle of where it looks (the line), not all of it."
_END = "⏎"
_TIMES = "&times;"


def make_page(traces: Sequence[Trace], model: str, metadata: JsonObject, num_words: int) -> str:
    """Returns the whole HTML page.

    Args:
        traces: the words, in the order shown.
        model: how the user calls the model.
        metadata: of the model.
        num_words: how many were read; more than are shown, where the page would grow too long.
    """
    name = " · ".join(str(part) for part in (model, metadata.get("name"), f"{len(traces)} of {num_words} words shown"))
    return page("How each word was read", f'<p class="soft">{html.escape(name)}</p>\n{make_words(traces)}', STYLE)


def make_words(traces: Sequence[Trace]) -> str:
    """Returns the words with their guide as a part of a page that holds `STYLE`."""
    guide = "".join(f"<li><b>{title}</b> {text}</li>" for part, title, text in _GUIDE if _is_shown(part, traces))
    notes = []
    if any(trace.stages is None for trace in traces):
        notes.append(_NO_STAGES)
    if any(step.light is None for trace in traces for step in trace.steps):
        notes.append(_NO_LIGHT)
    notes_html = "".join(f'<p class="note">{note}</p>' for note in notes)
    words = "\n".join(_word(trace) for trace in traces)
    return f'<section class="inside"><ol class="guide">{guide}</ol>{notes_html}\n{words}\n</section>'


def _is_shown(part: str | None, traces: Sequence[Trace]) -> bool:
    """Whether the model of any word shows that part of its transformation."""
    return part is None or any(trace.stages and getattr(trace.stages, part) is not None for trace in traces)


def _word(trace: Trace) -> str:
    word = trace.word
    read = _quoted(word.text) if word.text else "(nothing)"
    about = [f"confidence {_percent(word.confidence)}"]
    if trace.truth is not None:
        about.append(f"label {_quoted(trace.truth)}")
    about.append(html.escape(trace.name))
    remarks = "".join(f'<p class="note">{html.escape(remark)}</p>' for remark in _remarks(trace))
    return (
        f'<article class="word"><header><h2>{read}</h2><span class="soft">{" · ".join(about)}</span></header>{remarks}'
        f'<div class="stages">{"".join(_stages(trace))}</div>'
        f'<div class="steps">{"".join(_step(trace, step) for step in trace.steps)}</div>{_product(trace)}</article>'
    )


def _remarks(trace: Trace) -> list[str]:
    word, remarks = trace.word, []
    if word.reason:
        remarks.append(f"Not answered: {word.reason}. The steps are those of the most probable characters.")
    elif not trace.follows_word:
        remarks.append("The steps are those of the most probable characters; the answer was found in another way.")
    if word.turned:
        remarks.append(f"Read turned by {abs(word.turned)} degrees {'counter-' if word.turned > 0 else ''}clockwise.")
    if trace.num_views > 1:
        remarks.append(f"The confidence is that of {trace.num_views} views of the crop; shown is the first of them.")
    if word.truncated:
        remarks.append("The word did not end within the model's longest: more may follow.")
    return remarks


def _stages(trace: Trace) -> list[str]:
    height, width = trace.size
    rows, columns = trace.prepared.shape
    stages = [
        _stage("The crop", f"{width} {_TIMES} {height} pixels, as given", data_uri(trace.crop), "fit"),
        _stage("What the model gets", f"grey, {columns} {_TIMES} {rows}", data_uri(to_picture(trace.prepared))),
    ]
    if trace.stages is not None:
        stages += _transformation(trace, trace.stages)
    return stages


def _transformation(trace: Trace, stages: Stages) -> list[str]:
    shown = []
    if stages.offset is not None:
        low, high = float(stages.offset.min()), float(stages.offset.max())
        stretched = (stages.offset - low) / max(high - low, 1e-6) * 2 - 1
        # Stretched all the same: faint is not flat.
        span = f"{low:.3f} (black) to {high:.3f} (white)" if high >= 0.0005 else "all below 0.001"
        text = f"{span}; gate {_percent(stages.gate or 0.0)}"
        shown.append(_stage("Offset (AIN)", text, data_uri(to_picture(stretched))))
    if stages.chromatic is not None:
        shown.append(_stage("Intensities (SPN)", "one curve for all pixels", data_uri(to_picture(stages.chromatic))))
    if stages.control_points is not None:
        before = trace.prepared if stages.chromatic is None else stages.chromatic
        picture = draw_control_points(before, stages.control_points)
        shown.append(_stage("Edges found (TPS)", f"{len(stages.control_points)} control points", data_uri(picture)))
        shown.append(_stage("Bent straight (TPS)", "what is read", data_uri(to_picture(stages.rectified))))
    if not shown:
        shown.append(_stage("What is read", "this model changes nothing", data_uri(to_picture(stages.rectified))))
    return shown


def _stage(title: str, text: str, source: str, kind: str = "") -> str:
    return (
        f'<div class="stage"><div class="frame {kind}"><img alt="{title}: {text}" src="{source}"></div>'
        f"<p><b>{title}</b><br>{text}</p></div>"
    )


def _step(trace: Trace, step: Step) -> str:
    if step.light is not None:
        picture = draw_light(trace.prepared, step.light)
    else:
        picture = draw_place(trace.prepared, step.position)
    best = list(step.best)
    if all(character != step.character for character, _ in best):
        best.append((step.character, step.probability))
    bars = "".join(_bar(character, share, character == step.character) for character, share in best)
    name = html.escape(step.character) or "the end"
    where = f"{name}: looks at {_percent(step.position)} of the width"
    title = f"<span>{html.escape(step.character)}</span>" if step.character else '<span class="end">end</span>'
    return (
        f'<div class="step"><img alt="{where}" title="{where}" src="{data_uri(picture)}"><p class="letter">{title}</p>'
        f"{bars}</div>"
    )


def _bar(character: str, share: float, chosen: bool) -> str:
    name = html.escape(character) or _END
    return (
        f'<div class="bar{" chosen" if chosen else ""}"><span>{name}</span><i><u style="width:{100 * share:.1f}%"></u>'
        f"</i><span>{_percent(share)}</span></div>"
    )


def _product(trace: Trace) -> str:
    """How the confidence comes about, where it is that of these steps."""
    if not trace.follows_word or trace.num_views > 1 or trace.word.reason:
        return ""
    product = 1.0
    for step in trace.steps:
        product *= step.probability
    # Constraints in another case and models of reduced precision may come to something else.
    if abs(product - trace.word.confidence) > 0.005:
        return ""
    factors = f" {_TIMES} ".join(f"{step.probability:.3f}" for step in trace.steps)
    return f'<p class="product soft">{factors} = {product:.3f}, the confidence of the word.</p>'


def _quoted(text: str) -> str:
    return f"“{html.escape(text)}”"


def _percent(share: float) -> str:
    return "&lt; 0.1 %" if 0 < share < 0.0005 else f"{100 * share:.1f} %"
