"""Images: what the public guide does with them, line for line, in plain HTTP."""

import io
from pathlib import Path

import httpx
import pytest
from PIL import Image

from tests.corpus import saved, two_halves
from tests.walkthrough.test_first_steps import new_session, read_until, watching


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    file = tmp_path / "photo.jpg"
    file.write_bytes(saved(two_halves(size=(800, 600)), "JPEG", quality=90))
    return file


def test_working_with_images(api: httpx.Client, photo: Path, tmp_path: Path) -> None:
    session_id = new_session(api)

    # Upload an image
    with photo.open("rb") as file:
        reply = api.post("/images", files={"file": file}, data={"session_id": session_id})
    image = reply.raise_for_status().json()
    assert image["id"]
    assert image["filename"] == "photo.jpg"
    assert image["size_bytes"] == photo.stat().st_size
    assert image["has_thumbnail"] is True

    # List images
    images = api.get("/images").raise_for_status().json()
    listed = [f"{each['filename']} ({each['size_bytes']} bytes)" for each in images["data"]]
    assert f"photo.jpg ({photo.stat().st_size} bytes)" in listed

    # Download image
    downloaded = tmp_path / "downloaded.jpg"
    downloaded.write_bytes(api.get(f"/images/{image['id']}").raise_for_status().content)
    assert downloaded.read_bytes() == photo.read_bytes()

    # Get thumbnail
    thumbnail = api.get(f"/images/{image['id']}/thumbnail").raise_for_status().content
    with Image.open(io.BytesIO(thumbnail)) as shown:
        assert shown.size == (200, 150)

    # Delete image
    assert api.delete(f"/images/{image['id']}").status_code == 204
    assert api.get(f"/images/{image['id']}").status_code == 404


def test_messages_with_images(api: httpx.Client, photo: Path) -> None:
    session_id = new_session(api)

    # First, upload the image
    with photo.open("rb") as file:
        image = api.post("/images", files={"file": file}).raise_for_status().json()

    # Then send message with image
    content = [
        {"type": "text", "text": "What do you see in this image?"},
        {"type": "image_file", "image_id": image["id"], "filename": "screenshot.png"},
    ]
    sent = api.post(f"/sessions/{session_id}/messages", json={"message": {"content": content}})
    assert sent.status_code == 201
    assert sent.json()["content"] == content

    # The simulated model sees no pictures, but it answers; what real ones are sent is shown in
    # tests/integration/worker/test_pictures.py.
    with watching(api, session_id) as events:
        read_until(events, "session.idled")
    user, agent = api.get(f"/sessions/{session_id}/messages").json()["data"]
    assert user["content"] == content
    assert agent["content"][0]["text"] == "Echo: What do you see in this image?"
