"""The routes, one module a kind of caller: parse, call, answer. No rule of the business."""
