"""Receivers that lead elsewhere: names that change their address, certificates that change, redirects."""

import asyncio
import ssl
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import httpcore
import httpx
import pytest

from services.alerts.notify.sender import Exits, Outcome, send
from services.alerts.notify.target import CheckedNetwork, TargetRefusedError, checked_client
from services.core.organisation import Receiver
from services.demo.ports import free_port
from tests.integration.alerts.alert_harness import SECRET
from tests.integration.alerts.certificates import Authority, new_authority
from tests.integration.alerts.channel_harness import NO_TLS, Said, http_server
from tests.integration.alerts.test_alert_webhooks import _notification, answering

HOST = "receiver.city.example"


class Names:
    """A name server that says something else each time it is asked; the last answer stays."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def __call__(self, host: str, _port: int) -> Sequence[str]:
        assert host in {HOST, "127.0.0.1"}
        self.asked += 1
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


async def _attempt(url: str, names: Names, tls: ssl.SSLContext = NO_TLS, *, private_allowed: bool = True) -> Outcome:
    async with checked_client(private_allowed=private_allowed, timeout_s=2, resolve=names, tls=tls) as client:
        return await send(
            Exits(client),
            _notification(),
            Receiver("receiver", "organisation", url, SECRET, 1),
            longest_wait=timedelta(seconds=2),
        )


async def test_the_name_is_asked_for_once_and_what_was_checked_is_what_is_called() -> None:
    async with http_server() as receiver:
        names = Names(["127.0.0.1"], ["192.0.2.7"])
        outcome = await _attempt(f"http://{HOST}:{receiver.port}/in", names)
    assert outcome.delivered, outcome.error
    assert names.asked == 1
    # The receiver still sees the name that it is known by.
    assert receiver.seen[0].headers["host"] == f"{HOST}:{receiver.port}"


async def test_a_name_that_turns_private_behind_the_check_never_gets_called() -> None:
    """What an attacker's name server does: a public answer for the check, a private one for the connection."""
    async with http_server() as inside:
        names = Names(["8.8.8.8"], ["127.0.0.1"])
        called: list[str] = []

        class Watched(httpcore.AnyIOBackend):
            async def connect_tcp(self, host: str, *_: object, **__: object) -> httpcore.AsyncNetworkStream:
                called.append(host)
                raise httpcore.ConnectError("nothing is called in a test")

        network = CheckedNetwork(private_allowed=False, resolve=names)
        network._network = Watched()
        with pytest.raises(httpcore.ConnectError):
            await network.connect_tcp(HOST, inside.port)
        assert called == ["8.8.8.8"]
        with pytest.raises(TargetRefusedError):
            await network.connect_tcp(HOST, inside.port)
        assert called == ["8.8.8.8"]
        assert inside.seen == []


async def test_one_private_address_among_public_ones_is_one_too_many() -> None:
    async with http_server() as inside:
        names = Names(["8.8.8.8", "127.0.0.1"])
        outcome = await _attempt(f"http://{HOST}:{inside.port}/", names, private_allowed=False)
    assert outcome.error == f"TargetRefusedError: {HOST} is at 127.0.0.1, which is not a public address"
    assert inside.seen == []


@pytest.mark.parametrize("address", ["::ffff:127.0.0.1", "64:ff9b::7f00:1", "fe80::1%lo", "169.254.169.254", "::"])
async def test_a_private_address_in_disguise_is_refused(address: str) -> None:
    outcome = await _attempt(f"http://{HOST}:{free_port()}/", Names([address]), private_allowed=False)
    assert outcome.error is not None
    assert outcome.error.startswith("TargetRefusedError: ")


@pytest.mark.parametrize("number", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1"])
async def test_a_private_address_written_as_a_number_is_refused(number: str) -> None:
    async with http_server() as inside, checked_client(private_allowed=False, timeout_s=2, tls=NO_TLS) as client:
        outcome = await send(
            Exits(client),
            _notification(),
            Receiver("receiver", "organisation", f"http://{number}:{inside.port}/", SECRET, 1),
            longest_wait=timedelta(seconds=2),
        )
    assert not outcome.delivered
    assert outcome.status is None
    assert inside.seen == []


async def test_the_next_address_is_tried_where_the_first_does_not_answer() -> None:
    async with http_server() as receiver:
        # Nobody listens at ::1, where the port is free.
        outcome = await _attempt(f"http://{HOST}:{receiver.port}/in", Names(["::1", "127.0.0.1"]))
    assert outcome.delivered, outcome.error


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> tuple[Authority, Authority]:
    """Two of the receiver's name; the second is one that nobody trusts."""
    folders: list[Path] = [tmp_path_factory.mktemp(name) for name in ("own", "strange")]
    own, strange = (new_authority(folder, HOST) for folder in folders)
    return own, strange


async def test_the_certificate_has_to_be_the_names_although_the_address_is_called(
    certificates: tuple[Authority, Authority], tmp_path: Path
) -> None:
    own, _ = certificates
    async with http_server(tls=own.server_context()) as receiver:
        good = await _attempt(f"https://{HOST}:{receiver.port}/in", Names(["127.0.0.1"]), own.client_context())
        assert good.delivered, good.error
    other = new_authority(tmp_path, "other.city.example")
    async with http_server(tls=other.server_context()) as receiver:
        bad = await _attempt(f"https://{HOST}:{receiver.port}/in", Names(["127.0.0.1"]), other.client_context())
    assert bad.error is not None
    assert "CERTIFICATE_VERIFY_FAILED" in bad.error
    assert receiver.seen == []


async def test_a_receiver_that_changes_its_certificate_is_not_told_until_it_is_good_again(
    certificates: tuple[Authority, Authority],
) -> None:
    own, strange = certificates
    delivered = []
    for authority in (own, strange, own):
        async with http_server(tls=authority.server_context()) as receiver:
            names = Names(["127.0.0.1"])
            outcome = await _attempt(f"https://{HOST}:{receiver.port}/in", names, own.client_context())
        delivered.append((outcome.delivered, len(receiver.seen)))
    assert delivered == [(True, 1), (False, 0), (True, 1)]


async def test_a_redirect_to_a_private_address_is_an_answer_and_not_an_order() -> None:
    async with http_server() as inside:
        where = {"Location": f"http://127.0.0.1:{inside.port}/secret"}
        async with http_server(lambda _: Said(302, headers=where)) as receiver:
            outcome = await _attempt(receiver.url, Names(["127.0.0.1"]))
    assert (outcome.delivered, outcome.status, outcome.error) == (False, 302, "the receiver answered 302")
    assert inside.seen == []


async def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy would resolve the name anew, behind our check."""
    async with http_server() as proxy, http_server() as receiver:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        outcome = await _attempt(receiver.url, Names(["127.0.0.1"]))
    assert outcome.delivered
    assert (len(proxy.seen), len(receiver.seen)) == (0, 1)


async def test_a_hanging_receiver_leaves_the_client_free_for_others() -> None:
    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with http_server() as good, answering(hang) as hanging, httpx.AsyncClient(verify=NO_TLS) as other:
        waiting = asyncio.create_task(_attempt(hanging, Names(["127.0.0.1"])))
        await asyncio.sleep(0.1)
        began = asyncio.get_running_loop().time()
        outcome = await _attempt(good.url, Names(["127.0.0.1"]))
        assert outcome.delivered
        assert asyncio.get_running_loop().time() - began < 1.5
        assert (await other.get(good.url)).status_code == 200
        assert (await waiting).error == "no answer within 2 s"
