"""A card as one HTML page that loads nothing."""

from collections.abc import Sequence
from html import escape
from importlib import resources

from jack_ray.registry.card import Block, Facts, Section, Table, sections
from jack_ray.registry.statistics import Calibration

SIDE = 260
"""Width and height of the diagram's square."""
LEFT, TOP = 46, 12


def page(facts: Facts) -> str:
    """The whole page."""
    style = resources.files("jack_ray.registry").joinpath("card.css").read_text(encoding="utf-8")
    title = f"Model card: {facts.name}"
    body = "\n".join(_section(one) for one in sections(facts))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>
{style}</style>
</head>
<body>
<main>
<h1>{escape(facts.name)}</h1>
<p class="under">{escape(facts.notes.title)}, trial {escape(facts.trial.id)}</p>
{body}
</main>
</body>
</html>
"""


def _section(one: Section) -> str:
    return "\n".join([f"<section><h2>{escape(one.title)}</h2>", *map(_block, one.blocks), "</section>"])


def _block(block: Block) -> str:
    if isinstance(block, str):
        return f"<p>{escape(block)}</p>"
    if isinstance(block, Table):
        return _table(block)
    if isinstance(block, Calibration):
        return _diagram(block)
    return f"<ul>{''.join(f'<li>{escape(item)}</li>' for item in block)}</ul>"


def _table(table: Table) -> str:
    has_head = any(table.head)
    head = f"<thead>{_row(table.head, 'th')}</thead>" if has_head else ""
    rows = "".join(_row(row, "td") for row in table.rows)
    note = f'<p class="note">{escape(table.note)}</p>' if table.note else ""
    kind = "" if has_head else ' class="pairs"'
    return f'<div class="wide"><table{kind}>{head}<tbody>{rows}</tbody></table></div>{note}'


def _row(cells: Sequence[str], tag: str) -> str:
    return f"<tr>{''.join(f'<{tag}>{escape(cell)}</{tag}>' for cell in cells)}</tr>"


def _diagram(found: Calibration) -> str:
    """Share of right answers over their probability; on the dashed line both are the same."""
    points = [(LEFT + SIDE * one.mean_probability, TOP + SIDE * (1 - one.share_right)) for one in found.bins]
    most = max(one.num for one in found.bins)
    dots = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{3 + 5 * (one.num / most) ** 0.5:.1f}">'
        f"<title>{one.num} answers, {one.share_right:.3f} right</title></circle>"
        for (x, y), one in zip(points, found.bins, strict=True)
    )
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    bottom, right = TOP + SIDE, LEFT + SIDE
    marks = "".join(
        f'<text x="{LEFT + SIDE * share:.0f}" y="{bottom + 16}" text-anchor="middle">{share:g}</text>'
        f'<text x="{LEFT - 6}" y="{bottom - SIDE * share + 4:.0f}" text-anchor="end">{share:g}</text>'
        for share in (0, 0.5, 1)
    )
    return f"""<svg viewBox="0 0 {right + 20} {bottom + 42}" width="{right + 20}" role="img"
 aria-label="Share of right answers over their probability">
<path class="axis" fill="none" d="M{LEFT} {TOP}V{bottom}H{right}"/>
<path class="ideal" d="M{LEFT} {bottom}L{right} {TOP}"/>
<polyline class="curve" points="{line}"/>{dots}{marks}
<text x="{LEFT + SIDE / 2}" y="{bottom + 36}" text-anchor="middle">probability</text>
<text transform="translate(12 {TOP + SIDE / 2}) rotate(-90)" text-anchor="middle">share right</text>
</svg>"""
