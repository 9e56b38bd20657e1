"""Panels frozen: what a live widget looked like when its cell ended, as plain HTML that any reader of a notebook shows."""

from __future__ import annotations

import html

VIEW = "application/vnd.jupyter.widget-view+json"
_ROWS = {"HBoxModel", "GridBoxModel"}
_NOTE = '<p><em>A live panel: run this cell to move it.</em></p>'


def freeze(output, states: dict) -> None:
    """Changes an output of a widget into HTML drawn from its state (by model id); other outputs stay as they are.

    A saved widget without its state shows an error; and its state, with every frame in it, does not belong into a file.
    """
    view = output.data.pop(VIEW, None)
    if view is None:
        return
    if "text/html" not in output.data:
        output.data["text/html"] = _NOTE + _still(view["model_id"], states)
    output.data["text/plain"] = "A live panel: run this cell to move it."


def _still(model: str, states: dict) -> str:
    state = states.get(model.removeprefix("IPY_MODEL_"), {})
    if not _visible(state, states):
        return ""
    if "children" in state:
        direction = "row" if state["_model_name"] in _ROWS else "column"
        inner = "".join(_still(child, states) for child in state["children"])
        return f'<div style="display:flex;flex-direction:{direction};flex-wrap:wrap;gap:4px 12px">{inner}</div>'
    if state.get("_model_name") in ("HTMLModel", "HTMLMathModel"):
        return f"<div>{state.get('value', '')}</div>"
    return f"<span>{html.escape(_words(state))}</span>"


def _visible(state: dict, states: dict) -> bool:
    layout = states.get(str(state.get("layout", "")).removeprefix("IPY_MODEL_"), {})
    return layout.get("display") != "none" and layout.get("visibility") != "hidden"


def _words(state: dict) -> str:
    """A control in words: "layer: inception4c", "[Start]"."""
    name, value = state.get("description", ""), state.get("value")
    if state.get("_model_name") == "ButtonModel":
        return f"[{name}]"
    if "_options_labels" in state and state.get("index") is not None:
        value = state["_options_labels"][state["index"]]
    if value is None or isinstance(value, (list, tuple, dict, bytes)):
        return name
    value = f"{value:g}" if isinstance(value, float) else value
    return f"{name}: {value}".removeprefix(": ")
