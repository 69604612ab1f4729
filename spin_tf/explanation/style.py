"""How a word's way through a model is laid out on a page."""

from __future__ import annotations

from spin_tf._page import PAGE_STYLE

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
