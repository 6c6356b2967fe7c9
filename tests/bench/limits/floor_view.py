"""The api's part of the least turn, under the api's own server."""

from uuid import UUID

from flask import Flask, Response, request

from common.redis_client import Breaker
from common.settings import Settings
from common.turn_queue import TurnQueue
from tests.bench.limits.floor import Floor, frame

app = Flask(__name__)
_settings = Settings.from_env()
_floor = Floor(_settings)
_queue = TurnQueue(_settings, Breaker())
_MESSAGE = frame(500)


@app.route("/<uuid:turn_id>", methods=["POST"])
def accept(turn_id: UUID) -> Response:
    request.get_data(cache=False)
    _floor.transaction(asks=0)
    _queue.send(turn_id)
    _floor.publish(turn_id, _MESSAGE)
    return Response(b"{}", status=201, content_type="application/json")


@app.route("/health/ready")
def ready() -> Response:
    return Response(b"{}", content_type="application/json")
