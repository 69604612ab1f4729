"""Every page that a command writes: how it looks, light and dark, and what is around its content."""

from __future__ import annotations

import base64
import html
import io

from PIL import Image

PAGE_STYLE = """
:root{color-scheme:light dark;--ground:#f5f4f1;--card:#fff;--ink:#22242a;--soft:#62656e;--line:#dddbd5;--bar:#e9e7e1;
--accent:#b4530a;--rest:#a9a69d;--good:#17692f;--bad:#a61b1b}
@media(prefers-color-scheme:dark){:root{--ground:#16181c;--card:#1f2228;--ink:#e8e8ea;--soft:#a0a4ae;--line:#343841;
--bar:#2d313a;--accent:#f2a541;--rest:#6d727d;--good:#7fd197;--bad:#f08a8a}}
body{margin:0 auto;max-width:1180px;padding:2em 1.25em;background:var(--ground);color:var(--ink);
font:15px/1.5 system-ui,sans-serif}
h1{font-size:1.7em;line-height:1.2;margin:0 0 .2em}
.soft{color:var(--soft);overflow-wrap:anywhere}
.note{margin:.6em 0;padding:.5em .8em;border-left:3px solid var(--accent);background:var(--card)}
table{border-collapse:collapse;margin:.5em 0 1.5em}
td,th{padding:.2em .7em;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
td.number{text-align:right;font-variant-numeric:tabular-nums}
""".replace("\n", "")


def page(title: str, body: str, style: str = PAGE_STYLE) -> str:
    """A whole page; it loads nothing and runs nothing."""
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}"><style>{style}</style></head>'
        f"<body>\n<h1>{html.escape(title)}</h1>\n{body}\n</body></html>\n"
    )


def data_uri(picture: Image.Image, kind: str = "PNG") -> str:
    """A picture as the `src` of an HTML image: a PNG, or a JPEG of photographs, inside the page."""
    buffer = io.BytesIO()
    options = {"optimize": True} if kind == "PNG" else {"quality": 80}
    picture.save(buffer, format=kind, **options)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(buffer.getvalue()).decode()}"
