"""DeepDream as static files that dream in the browser, with no Python and no server: `making`.

`site/` holds what is written by hand: the page, its style, the loop and its verbs, the worker with
the network, and the service worker. `graphs` makes the network's files, `runtime` brings
onnxruntime-web.
"""
