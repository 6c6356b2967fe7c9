"""What a model is shown of the images in messages: fetched, made smaller, left out, or told of."""

import base64
import io
import tempfile
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from PIL import Image
from sqlalchemy import text

from api.auth import Caller
from api.uploads import Upload
from api.use_cases.save_image import delete_image, save_image
from common.blobs.opening import open_blobs
from common.domain.events import EventType
from common.storage import images
from tests.contract.llm.stage import MockedProvider
from tests.corpus import noise_png, saved, two_halves
from tests.integration.worker.conftest import World
from tests.integration.worker.mocked import anthropic, mock_server_url, provider
from tests.integration.worker.outside import CALLER, Outside
from worker.llm.registry import driver_for

# Fixtures, by their names.
__all__ = ["anthropic", "mock_server_url", "provider"]

_PNG = saved(two_halves(), "PNG")


def _upload(
    world: World, data: bytes = _PNG, name: str = "screenshot.png", *, caller: Caller = CALLER
) -> UUID:
    with tempfile.TemporaryFile() as file:
        file.write(data)
        upload = Upload(
            file=file,
            filename=name,
            media_type="image/png",
            size_bytes=len(data),
            digest=sha256(data).hexdigest(),
            fields={},
        )
        deps = Outside(world).deps
        return save_image(deps, caller, upload, session_id=None, key=None).id


def _asking(*image_ids: UUID) -> list[dict[str, Any]]:
    shown = [
        {"type": "image_file", "image_id": str(image_id), "filename": "screenshot.png"}
        for image_id in image_ids
    ]
    return [{"type": "text", "text": "What do you see in this image?"}, *shown]


def _content(provider: MockedProvider) -> list[dict[str, Any]]:
    """The newest message as the provider received it."""
    body = provider.received()[-1]["body"]
    content: list[dict[str, Any]] = (body.get("messages") or body["input"])[-1]["content"]
    return content


def _pictures(provider: MockedProvider) -> list[bytes]:
    """The images of the newest message, whatever the wire format."""
    found = []
    for part in _content(provider):
        if part["type"] == "image":
            found.append(base64.b64decode(part["source"]["data"]))
        elif part["type"] in ("image_url", "input_image"):
            url = part["image_url"]
            address = url if isinstance(url, str) else url["url"]
            found.append(base64.b64decode(address.partition("base64,")[2]))
    return found


def _words(provider: MockedProvider) -> str:
    return "\n".join(part.get("text", "") for part in _content(provider))


def test_an_uploaded_image_reaches_the_model_in_its_own_format(
    world: World, provider: MockedProvider
) -> None:
    provider.says("A red half and a blue one.")
    world.worker().run(world.post_parts(_asking(_upload(world))))
    assert world.answers() == ["A red half and a blue one."]
    assert _pictures(provider) == [_PNG], "small as it is, byte for byte"
    assert "What do you see" in _words(provider)


def test_one_that_is_larger_than_the_provider_takes_is_made_smaller(
    world: World, provider: MockedProvider
) -> None:
    data = saved(two_halves(size=(5000, 3000)), "PNG")
    provider.says("Two halves.")
    world.worker().run(world.post_parts(_asking(_upload(world, data))))
    (sent,) = _pictures(provider)
    side = driver_for(provider.endpoint, allow_simulated=False).image_limits.side
    with Image.open(io.BytesIO(sent)) as shown:
        assert max(shown.size) == side
        assert shown.size[0] / shown.size[1] == pytest.approx(5000 / 3000, abs=0.01)
        red, _, blue = shown.convert("RGB").getpixel((5, 5))  # type: ignore[misc] # RGB
    assert (red, blue) == (pytest.approx(220, abs=10), pytest.approx(30, abs=10))


def test_a_large_image_in_the_message_itself_is_made_smaller_too(
    world: World, anthropic: MockedProvider
) -> None:
    data = saved(two_halves(size=(4000, 40)), "PNG")
    part = {
        "type": "image",
        "base64": base64.b64encode(data).decode(),
        "media_type": "image/png",
    }
    anthropic.says("Wide.")
    world.worker().run(world.post_parts([{"type": "text", "text": "This?"}, part]))
    (sent,) = _pictures(anthropic)
    with Image.open(io.BytesIO(sent)) as shown:
        assert shown.width == 1568


def test_a_deleted_image_is_told_of_in_words(world: World, anthropic: MockedProvider) -> None:
    kept, deleted = _upload(world), _upload(world, noise_png(20))
    delete_image(Outside(world).deps, CALLER, deleted)
    anthropic.says("I see one.")
    world.worker().run(world.post_parts(_asking(kept, deleted)))
    assert _pictures(anthropic) == [_PNG]
    assert "[an image that was deleted: screenshot.png]" in _words(anthropic)


def test_an_image_whose_bytes_are_gone_is_told_of_in_words(
    world: World, anthropic: MockedProvider
) -> None:
    image_id = _upload(world)
    with world.database.reading() as tx:
        image = images.find(tx, CALLER.organization_id, image_id)
    assert image is not None
    open_blobs(world.settings).delete(images.blob_key(image.organization_id, image.blob_id))
    anthropic.says("Nothing.")
    world.worker().run(world.post_parts(_asking(image_id)))
    assert _pictures(anthropic) == []
    assert "deleted" in _words(anthropic)


def test_what_cannot_be_read_is_told_of_in_words(world: World, anthropic: MockedProvider) -> None:
    cut = {
        "type": "image",
        "base64": base64.b64encode(_PNG[:60]).decode(),
        "media_type": "image/png",
    }
    anthropic.says("Nothing.")
    world.worker().run(world.post_parts([{"type": "text", "text": "This?"}, cut]))
    assert _pictures(anthropic) == []
    assert "cannot be read" in _words(anthropic)


def test_images_of_earlier_messages_are_sent_again(world: World, anthropic: MockedProvider) -> None:
    worker, image_id = world.worker(), _upload(world)
    anthropic.says("A picture.")
    worker.run(world.post_parts(_asking(image_id)))
    anthropic.says("Red.")
    worker.run(world.post("What colour is it?"))
    messages = anthropic.received()[-1]["body"]["messages"]
    assert [block["type"] for block in messages[0]["content"]] == ["image", "text"]


def test_another_organization_s_image_is_not_shown(world: World, anthropic: MockedProvider) -> None:
    # As a message from before the image was given to another could name it.
    organization_id = UUID(int=77)
    with world.database.transaction() as tx:
        tx.execute(
            text("INSERT INTO organizations (id, name) VALUES (:id, 'Other')"),
            {"id": organization_id},
        )
    theirs = _upload(world, caller=replace(CALLER, organization_id=organization_id))
    anthropic.says("Nothing.")
    world.worker().run(world.post_parts(_asking(theirs)))
    assert _pictures(anthropic) == []


def test_a_store_that_is_away_fails_the_turn_in_words(
    world: World, anthropic: MockedProvider
) -> None:
    image_id = _upload(world)
    with world.database.reading() as tx:
        image = images.find(tx, CALLER.organization_id, image_id)
    assert image is not None
    key = images.blob_key(image.organization_id, image.blob_id)
    file = Path(world.settings.storage_directory) / "blobs" / key
    file.unlink()
    file.mkdir()  # can be opened by nobody
    anthropic.says("never")
    before = len(anthropic.received())
    world.worker().run(world.post_parts(_asking(image_id)))
    (failed,) = [event.data for event in world.events() if event.type == EventType.TURN_FAILED]
    assert failed["error_code"] == "llm_error"
    assert failed["error_fields"] == {"reason": "dependency_unavailable"}
    assert len(anthropic.received()) == before


def test_events_of_a_turn_hold_no_picture(world: World, anthropic: MockedProvider) -> None:
    anthropic.says("A picture.")
    world.worker().run(world.post_parts(_asking(_upload(world))))
    encoded = base64.b64encode(_PNG).decode()[:60]
    assert all(encoded not in event.data_json for event in world.events())
    assert world.types()[-1] == EventType.SESSION_IDLED
