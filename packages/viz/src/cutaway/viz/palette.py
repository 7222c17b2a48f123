"""The colours of every picture, in one place, for a light page and a dark one.

A picture stands on somebody else's page: JupyterLab, VS Code, the site, a mail. Its ink is the page's own
(`currentColor`), so words and outlines are right wherever they stand. What has a colour of its own takes it
from six custom properties, `--cv-1` to `--cv-6`, of which there are two sets. Which set holds is decided by
the first of these that says anything: the attribute or class with which the page marks its theme, then the
reader's system.

    mkdocs-material    data-md-color-scheme="default" | "slate"
    JupyterLab         data-jp-theme-light="true" | "false"
    VS Code            class "vscode-light" | "vscode-dark" | "vscode-high-contrast" | …

Every colour has a contrast of at least 4.5 to 1 with the page, in both sets, so that words may be written in
it; `ON` is what is written on an area filled with it. No meaning hangs on a colour alone: shapes, dashes,
numbers and words say the same.
"""

from __future__ import annotations

from typing import Final

HUES: Final = 5
"""How many colours there are for things that differ: classes `cv-h1` to `cv-h5`. The sixth is grey."""
GREY: Final = 6

LIGHT: Final = {
    "1": "#b5432e", "2": "#1f6fa8", "3": "#39772c", "4": "#8248a6", "5": "#86620a", "6": "#5b6773", "on": "#ffffff",
}  # fmt: skip
DARK: Final = {
    "1": "#ef8a72", "2": "#6db4e6", "3": "#8cc97c", "4": "#c9a0e2", "5": "#dfb64c", "6": "#9aa7b4", "on": "#14181d",
}  # fmt: skip
_LIGHT_PAGES: Final = (
    '[data-md-color-scheme="default"]', '[data-jp-theme-light="true"]', ".vscode-light", ".vscode-high-contrast-light",
)  # fmt: skip
_DARK_PAGES: Final = (
    '[data-md-color-scheme="slate"]', '[data-jp-theme-light="false"]', ".vscode-dark", ".vscode-high-contrast",
)  # fmt: skip

_RULES: Final = """
.cutaway-viz{font-family:inherit;font-size:13px;line-height:1.4;margin:12px 0;text-align:left}
.cutaway-viz *{box-sizing:border-box}
.cutaway-viz .cv-title{font-weight:600;margin:0 0 6px}
.cutaway-viz .cv-note{font-size:12px;opacity:.8;margin:4px 0 0}
.cutaway-viz .cv-scroll{overflow-x:auto;max-width:100%}
@keyframes cv-more{0%,99%{mask-image:linear-gradient(to right,black calc(100% - 2.5em),transparent)}}
.cutaway-viz .cv-scroll{animation:cv-more linear both;animation-timeline:scroll(self inline)}
.cutaway-viz .cv-scroll svg{display:block;max-width:none}
.cutaway-viz svg text{font-family:inherit;font-size:12px;fill:currentColor}
.cutaway-viz svg .cv-small{font-size:11px;opacity:.8}
.cutaway-viz svg .cv-bold{font-weight:700}
.cutaway-viz .cv-mono,.cutaway-viz svg .cv-mono{font-family:ui-monospace,Menlo,Consolas,monospace}
.cutaway-viz svg .cv-mid{text-anchor:middle}
.cutaway-viz svg .cv-end{text-anchor:end}
.cutaway-viz .cv-line{fill:none;stroke:currentColor;stroke-opacity:.45;stroke-width:1.5}
.cutaway-viz .cv-faint{fill:none;stroke:currentColor;stroke-opacity:.18}
.cutaway-viz .cv-dash{stroke-dasharray:3 3}
.cutaway-viz .cv-way{fill:none;stroke:var(--hue);stroke-width:3}
.cutaway-viz .cv-full{fill:var(--hue)}
.cutaway-viz .cv-soft{fill:var(--hue);fill-opacity:.18;stroke:var(--hue);stroke-width:1.5}
.cutaway-viz .cv-ring{fill:none;stroke:var(--hue);stroke-width:2}
.cutaway-viz svg .cv-ink{fill:var(--hue)}
.cutaway-viz .cv-tall{max-height:34rem;overflow-y:auto}
.cutaway-viz .cv-row{display:flex;flex-wrap:wrap;align-items:flex-end;gap:3px}
.cutaway-viz .cv-spaced{gap:8px}
.cutaway-viz .cv-frame{border:1px solid color-mix(in srgb,currentColor 35%,transparent);border-radius:5px;padding:3px}
.cutaway-viz .cv-frame,.cutaway-viz .cv-cell{max-width:100%;min-width:0}
.cutaway-viz .cv-cell{text-align:center}
.cutaway-viz .cv-bytes{padding:2px 5px;border-radius:3px 3px 0 0;white-space:pre;background:color-mix(in srgb,var(--hue) 18%,transparent);border-bottom:3px solid var(--hue)}
.cutaway-viz .cv-label{overflow-wrap:anywhere;font-size:11px;opacity:.85;padding:0 3px 1px}
.cutaway-viz .cv-chain{display:flex;flex-wrap:wrap;align-items:center;gap:6px}
.cutaway-viz .cv-node{border:1.5px solid var(--hue);border-radius:5px;padding:4px 7px;width:156px;align-self:stretch}
.cutaway-viz .cv-lzf{border-style:dashed}
.cutaway-viz .cv-plain{border-style:double;border-width:4px;padding:2px 5px}
.cutaway-viz .cv-head{font-weight:600;color:var(--hue)}
.cutaway-viz .cv-whole{height:9px;border:1px solid var(--hue);margin:2px 0}
.cutaway-viz .cv-held{height:100%;background:var(--hue)}
.cutaway-viz .cv-node .cv-label{padding:0}
.cutaway-viz .cv-element{font-size:11.5px;white-space:pre;overflow:hidden;text-overflow:ellipsis}
.cutaway-viz .cv-link{opacity:.6}
.cutaway-viz .cv-keys{display:flex;flex-wrap:wrap;gap:4px 16px;font-size:12px;margin-top:4px}
.cutaway-viz .cv-key{display:inline-flex;align-items:center;gap:5px}
.cutaway-viz .cv-thin{stroke-width:2}
.cutaway-viz .cv-strip{display:flex;min-width:640px;margin:2px 0}
.cutaway-viz .cv-block{min-width:0;overflow:hidden;text-overflow:ellipsis;white-space:nowrap;padding:3px 4px;border:1px solid color-mix(in srgb,currentColor 35%,transparent)}
.cutaway-viz .cv-outcome{border:0;border-top:3px solid var(--hue);background:color-mix(in srgb,var(--hue) 18%,transparent)}
.cutaway-viz .cv-bars{display:grid;grid-template-columns:fit-content(42%) minmax(60px,320px) max-content;gap:5px 10px;align-items:center}
.cutaway-viz .cv-bar{height:16px;border-radius:2px;background:var(--hue);min-width:1px}
.cutaway-viz .cv-bars .cv-name{text-align:right}
.cutaway-viz .cv-figure{font-variant-numeric:tabular-nums}
.cutaway-viz .cv-plot{container-type:inline-size;font-size:12px;padding:2px 0}
.cutaway-viz .cv-up{font-weight:600;margin-bottom:12px}
.cutaway-viz .cv-across{font-weight:600;margin:26px 0 6px 52px}
.cutaway-viz .cv-area{position:relative;height:250px;max-width:480px;margin-left:52px}
.cutaway-viz .cv-area svg{position:absolute;width:100%;height:100%;overflow:visible}
.cutaway-viz .cv-area path{vector-effect:non-scaling-stroke}
.cutaway-viz .cv-area span{position:absolute;white-space:nowrap;line-height:14px}
.cutaway-viz .cv-area .cv-tick{transform:translate(-50%,100%);opacity:.85}
.cutaway-viz .cv-area .cv-left{transform:translate(calc(-100% - 8px),50%)}
.cutaway-viz .cv-area .cv-point{width:7px;height:7px;border-radius:50%;background:var(--hue);transform:translate(-50%,50%)}
.cutaway-viz .cv-area .cv-name{transform:translate(9px,50%);color:var(--hue);font-weight:700}
.cutaway-viz .cv-plot .cv-keys{display:none;margin-left:52px}
@container (max-width:540px){
.cutaway-viz .cv-plot .cv-keys{display:flex}
.cutaway-viz .cv-area{margin-right:14px!important}
.cutaway-viz .cv-area .cv-name{display:none}}
.cutaway-viz .cv-versus{display:grid;grid-template-columns:max-content 1fr;gap:4px 16px;border-left:3px solid var(--cv-1);padding:2px 0 2px 12px}
.cutaway-viz .cv-versus .cv-name{opacity:.8}
.cutaway-viz .cv-said{font-weight:600;min-width:0;overflow-wrap:anywhere}
.cutaway-viz .cv-steps{display:flex;flex-wrap:wrap;gap:6px}
.cutaway-viz .cv-steps input{appearance:none;order:0;margin:0;width:30px;height:30px;border-radius:50%;border:1.5px solid currentColor;cursor:pointer;font:inherit;color:inherit;display:grid;place-items:center;background:none}
.cutaway-viz .cv-steps input:focus-visible{outline:2px solid var(--cv-2);outline-offset:2px}
.cutaway-viz .cv-steps input::before{content:attr(value)}
.cutaway-viz .cv-steps input:checked{background:var(--cv-1);border-color:var(--cv-1);color:var(--cv-on);font-weight:700}
.cutaway-viz .cv-steps section{order:1;flex:0 0 100%;min-width:0}
.cutaway-viz .cv-caption{font-weight:600;margin:2px 0 8px}
@media not print{.cutaway-viz .cv-steps input:not(:checked)+section{display:none}}
.cutaway-viz svg .cv-on{fill:var(--cv-on)}
"""


def _declare(colours: dict[str, str]) -> str:
    return ";".join(f"--cv-{name}:{colour}" for name, colour in colours.items())


def _rule(pages: tuple[str, ...], colours: dict[str, str]) -> str:
    return f"{','.join(f'{page} .cutaway-viz' for page in pages)}{{{_declare(colours)}}}"


THEMES: Final = "\n".join(
    [
        f".cutaway-viz{{{_declare(LIGHT)}}}",
        f"@media (prefers-color-scheme:dark){{.cutaway-viz{{{_declare(DARK)}}}}}",
        _rule(_DARK_PAGES, DARK),
        _rule(_LIGHT_PAGES, LIGHT),  # the last one counts: a light page of high contrast has both classes
        *(f".cutaway-viz .cv-h{hue}{{--hue:var(--cv-{hue})}}" for hue in range(1, GREY + 1)),
    ]
)
STYLE: Final = THEMES + _RULES
"""The style sheet that comes with every picture; several copies on a page say the same."""


def hue(number: int) -> str:
    """The class of the colour for thing `number`, 0 and up; after five they come again."""
    return f"cv-h{number % HUES + 1}"
