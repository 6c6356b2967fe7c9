"""The least that a view costs: Flask under the api's own server, reading a body and no more."""

from flask import Flask, Response, request

app = Flask(__name__)


@app.route("/", methods=["POST"])
def empty() -> Response:
    request.get_data(cache=False)
    return Response(b"{}", status=201, content_type="application/json")


@app.route("/health/ready")
def ready() -> Response:
    return Response(b"{}", content_type="application/json")
