"""What the screen says once everything is ready: where it is, and four lines to try."""

from collections.abc import Sequence
from pathlib import Path

from dev.environment import Ports

_TEXT = """\

ready in {seconds:.1f} s

  API     {base}/v1     reference: {base}/docs
{flower}  Stop with Ctrl-C.  Data stays in {data}; `python3 dev.py reset` removes it.

Try it in another terminal:

  agent=$(curl -s {base}/v1/agents -H 'Content-Type: application/json' \\
    -d '{{"name": "Assistant", "system_prompt": "You are a helpful assistant."}}' | {id})

  session=$(curl -s {base}/v1/sessions -H 'Content-Type: application/json' \\
    -d "{{\\"agent_id\\": \\"$agent\\"}}" | {id})

  curl -s {base}/v1/sessions/$session/messages -H 'Content-Type: application/json' \\
    -d '{{"message": {{"content": [{{"type": "text", "text": "Hello!"}}]}}}}'

  curl -N {base}/v1/sessions/$session/sse
"""
_ID = """python3 -c 'import json, sys; print(json.load(sys.stdin)["id"])'"""


def text(ports: Ports, seconds: float, *, with_flower: bool, data: Sequence[Path]) -> str:
    """The greeting, with lines that can be pasted as they stand; `data` is where it is kept."""
    flower = f"  Flower  http://localhost:{ports.flower}\n" if with_flower else ""
    return _TEXT.format(
        base=f"http://localhost:{ports.public}",
        seconds=seconds,
        flower=flower,
        id=_ID,
        data=" and ".join(map(str, data)),
    )
