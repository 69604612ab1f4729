"""How every page that a command writes looks, light and dark; no part of it comes from elsewhere."""

from __future__ import annotations

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
