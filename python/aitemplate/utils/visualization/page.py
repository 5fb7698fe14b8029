"""The page that shows a graph: layers from top to bottom, drawn as SVG, attributes on a click."""

from __future__ import annotations

import html
import json
from typing import Any, Dict, List, Sequence, Tuple

__all__ = ["page"]

_CHARACTER, _LINE, _MARGIN, _GAP, _LAYER = 7.2, 16, 10, 24, 44

_STYLE = """
body { margin: 0; font: 14px sans-serif; display: flex; height: 100vh; }
#graph { flex: 1; overflow: auto; }
#details { width: 24em; overflow: auto; padding: 1em; border-left: 1px solid #bbb; }
#details td { vertical-align: top; padding: 2px 8px 2px 0; word-break: break-all; }
#find { width: 100%; box-sizing: border-box; }
text { font: 12px monospace; text-anchor: middle; pointer-events: none; }
.node { cursor: pointer; }
.node.chosen rect { stroke: #d33; stroke-width: 3; }
path { fill: none; stroke: #888; }
"""

_SCRIPT = """
const nodes = new Map([...document.querySelectorAll('.node')].map(n => [n.dataset.name, n]));
function choose(name) {
  document.querySelectorAll('.chosen').forEach(n => n.classList.remove('chosen'));
  const node = nodes.get(name);
  if (!node) return;
  node.classList.add('chosen');
  const table = document.getElementById('attributes');
  table.replaceChildren();
  for (const [key, value] of Object.entries({ name, ...details[name] })) {
    const row = table.insertRow();
    row.insertCell().textContent = key;
    row.insertCell().textContent = value;
  }
  node.scrollIntoView({ block: 'nearest', inline: 'nearest' });
}
nodes.forEach((node, name) => node.addEventListener('click', () => choose(name)));
document.getElementById('find').addEventListener('change', e => choose(e.target.value));
"""


def _layers(nodes: Sequence[Any]) -> List[List[Any]]:
    """Nodes by the length of the longest path to them; in a layer, by where their operands are."""
    depth: Dict[str, int] = {}
    for node in nodes:
        depth[node.name] = 1 + max((depth.get(x, -1) for x in node.operands), default=-1)
    layers: List[List[Any]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    place: Dict[str, float] = {}

    def centre(node: Any) -> float:
        places = [place[x] for x in node.operands if x in place]
        return sum(places) / len(places) if places else 0.5

    for node in nodes:
        layers[depth[node.name]].append(node)
    for layer in layers:
        layer.sort(key=centre)
        for index, node in enumerate(layer):
            place[node.name] = (index + 1) / (len(layer) + 1)
    return layers


def _size(node: Any) -> Tuple[float, float]:
    lines = node.label.split("\n")
    return max(map(len, lines)) * _CHARACTER + 2 * _MARGIN, len(lines) * _LINE + _MARGIN


def _svg(nodes: Sequence[Any]) -> str:
    layers = _layers(nodes)
    widths = [sum(_size(node)[0] + _GAP for node in layer) + _GAP for layer in layers]
    width = max(widths, default=100)
    boxes: Dict[str, Tuple[float, float, float, float]] = {}
    y = float(_GAP)
    for layer, own_width in zip(layers, widths):
        x = (width - own_width) / 2 + _GAP
        for node in layer:
            w, h = _size(node)
            boxes[node.name] = (x, y, w, h)
            x += w + _GAP
        y += max(_size(node)[1] for node in layer) + _LAYER

    parts = []
    for node in nodes:
        x, top, w, _ = boxes[node.name]
        for operand in node.operands:
            if operand not in boxes:
                continue
            ox, oy, ow, oh = boxes[operand]
            start, end, bottom = ox + ow / 2, x + w / 2, oh + oy
            bend = (bottom + top) / 2
            parts.append(
                f'<path marker-end="url(#arrow)" d="M{start:.1f} {bottom:.1f} '
                f'C{start:.1f} {bend:.1f} {end:.1f} {bend:.1f} {end:.1f} {top:.1f}"/>'
            )
    for node in nodes:
        x, top, w, h = boxes[node.name]
        name = html.escape(node.name)
        parts.append(
            f'<g class="node" data-name="{name}"><title>{name}</title>'
            f'<rect x="{x:.1f}" y="{top:.1f}" width="{w:.1f}" height="{h:.1f}" '
            f'rx="{0 if node.is_operator else 8}" fill="{node.color}" stroke="#555" '
            f'stroke-width="{node.weight}"/>'
        )
        for index, line in enumerate(node.label.split("\n")):
            parts.append(
                f'<text x="{x + w / 2:.1f}" y="{top + _LINE * (index + 1):.1f}">'
                f"{html.escape(line)}</text>"
            )
        parts.append("</g>")
    arrow = (
        '<defs><marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" '
        'markerHeight="8" orient="auto"><path d="M0 0 L8 4 L0 8"/></marker></defs>'
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{y:.0f}">'
        + arrow
        + "\n".join(parts)
        + "</svg>"
    )


def page(title: str, nodes: Sequence[Any]) -> str:
    """The page, whole: it loads nothing.

    Args:
        title: its title, as HTML.
        nodes: the nodes of the picture, operands before results.
    """
    # "</" would end the script in which the attributes are.
    details = json.dumps({node.name: node.details for node in nodes}).replace("</", "<\\/")
    options = "".join(f'<option value="{html.escape(node.name)}">' for node in nodes)
    return f"""<!DOCTYPE html>
<html><head><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style></head>
<body><div id="graph">{_svg(nodes)}</div>
<div id="details"><input id="find" list="names" placeholder="find">
<datalist id="names">{options}</datalist><table id="attributes"></table></div>
<script>const details = {details};{_SCRIPT}</script></body></html>
"""
