"""The code of docs/python.md as it stands, beside the official client."""

import filecmp
import io
import re
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from everruns_sdk import Everruns
from PIL import Image

from dev.paths import ROOT
from tests.corpus import saved, two_halves
from tests.system import System

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.filterwarnings("ignore:Everruns\\.:DeprecationWarning"),
]

_BLOCK = re.compile(r"^```python\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)


@pytest.fixture
async def recipes(system: System) -> AsyncIterator[Any]:
    text = (ROOT / "docs" / "python.md").read_text()
    code = "\n".join(_BLOCK.findall(text)).replace("http://localhost:9300", system.base_url)
    names: dict[str, Any] = {}
    exec(compile(code, "docs/python.md", "exec"), names)  # noqa: S102  (our own page)
    yield SimpleNamespace(**names)
    await names["api"].aclose()
    await names["client"].close()


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    file = tmp_path / "photo.jpg"
    file.write_bytes(saved(two_halves(size=(800, 600)), "JPEG", quality=90))
    return file


async def test_images(recipes: Any, sdk: Everruns, photo: Path) -> None:
    session = await sdk.sessions.create()

    image = await recipes.upload_image(photo, session.id)

    assert (image["filename"], image["session_id"]) == ("photo.jpg", session.id)
    assert [each["id"] for each in await recipes.list_images(session.id)] == [image["id"]]
    assert image["id"] in {each["id"] for each in await recipes.list_images()}
    copy = photo.with_name("copy.jpg")
    await recipes.download_image(image["id"], copy)
    assert filecmp.cmp(copy, photo, shallow=False)
    assert Image.open(io.BytesIO(await recipes.thumbnail(image["id"]))).size == (200, 150)

    sent = await recipes.ask_about(session.id, image, "What is this?")
    stored = (await sdk.messages.list(session.id))[0]
    assert stored.id == sent["id"]
    assert [part.type for part in stored.content] == ["text", "image_file"]
    assert stored.content[1].image_id == image["id"]

    await recipes.delete_image(image["id"])
    with pytest.raises(httpx.HTTPStatusError) as gone:
        await recipes.download_image(image["id"], copy)
    assert gone.value.response.status_code == 404
    assert await recipes.thumbnail(image["id"]) is None


async def test_the_bytes_of_a_file(recipes: Any, sdk: Everruns, tmp_path: Path) -> None:
    session = await sdk.sessions.create()
    content = {"content": "AP8AAQ==", "encoding": "base64"}
    made = await recipes.api.put(f"/sessions/{session.id}/fs/data/a b.bin", json=content)
    made.raise_for_status()

    await recipes.download_file(session.id, "/data/a b.bin", tmp_path / "a.bin")

    (tmp_path / "b.bin").write_bytes(b"\x00\xff\x00\x01")
    assert filecmp.cmp(tmp_path / "a.bin", tmp_path / "b.bin", shallow=False)


async def test_the_client_of_the_page_works(recipes: Any) -> None:
    agent = await recipes.client.agents.create(name="recipes", system_prompt="Be brief.")
    assert (await recipes.client.agents.get(agent.id)).name == "recipes"
