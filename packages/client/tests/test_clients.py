"""The blocking client against real servers."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from cutaway.client import Address, AsyncClient, Client, ConnectionLostError, GreetingError, Push, ReplyError
from cutaway.client.clients import ConnectError
from cutaway.testing import RealServer


def test_replies_are_plain_values_in_both_protocols(server: RealServer) -> None:
    with Client(Address(path=server.path), timeout=10) as client:
        assert client.call("SET", "k", 1.5) == "OK"
        assert client.call("GET", "k") == b"1.5"
        assert client.call("HSET", "h", "f", b"\x00") == 1
        assert client.call("HGETALL", "h") == [b"f", b"\x00"]
    with Client(Address(path=server.path, protocol=3), timeout=10) as client:
        assert client.call("HGETALL", "h") == {b"f": b"\x00"}
        assert client.call("GET", "missing") is None


def test_call_raises_an_error_and_pipeline_gives_it_as_a_value(server: RealServer) -> None:
    with Client(Address(path=server.path), timeout=10) as client:
        client.call("LPUSH", "l", "a")
        with pytest.raises(ReplyError, match="WRONGTYPE"):
            client.call("GET", "l")
        replies = client.pipeline([("INCR", "n"), ("GET", "l"), ("INCR", "n")])
        assert [type(reply).__name__ for reply in replies] == ["int", "ReplyError", "int"]


def test_a_pipeline_larger_than_all_buffers_together_does_not_hang(server: RealServer) -> None:
    with Client(Address(path=server.path), timeout=30) as client:
        payload = b"x" * 1000
        replies = client.pipeline(("ECHO", payload) for _ in range(20_000))
        assert len(replies) == 20_000
        assert set(map(bytes, replies)) == {payload}  # type: ignore[arg-type]


def test_a_timeout_is_raised_and_later_replies_still_find_their_requests(server: RealServer) -> None:
    with Client(Address(path=server.path), timeout=0.1) as client:
        with pytest.raises(TimeoutError):
            client.call("BLPOP", "nothing", 0.3)
        client.timeout = 10
        assert client.call("ECHO", "after") == b"after"


def test_messages_come_in_order_and_silence_ends_them(server: RealServer) -> None:
    with Client(Address(path=server.path), timeout=10) as reader, Client(Address(path=server.path)) as writer:
        reader.call("SUBSCRIBE", "news")
        writer.pipeline([("PUBLISH", "news", number) for number in range(3)])
        messages = list(reader.messages(timeout=0.3))
        assert messages == [Push([b"message", b"news", b"%d" % number]) for number in range(3)]


def test_a_lost_connection_is_told_and_the_next_call_opens_another_in_the_same_database(
    server: RealServer,
) -> None:
    address = Address(path=server.path)
    with Client(address, timeout=10) as client, Client(address) as other:
        client.call("SELECT", 5)
        other.call("CLIENT", "KILL", "ID", str(client.call("CLIENT", "ID")))
        with pytest.raises(ConnectionError):
            client.call("PING")
        assert not client.is_connected
        client.call("SET", "where", "here")
        assert other.call("SELECT", 5) == "OK"
        assert other.call("GET", "where") == b"here"


def test_a_server_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConnectError, match=r"Could not connect to Redis at .*nobody: No such file"):
        Client(Address(path=str(tmp_path / "nobody"))).call("PING")


def test_a_refused_introduction_is_an_error_unless_somebody_listens(server: RealServer) -> None:
    address = Address(path=server.path, database=99)
    with pytest.raises(GreetingError, match="SELECT 99 failed: ERR DB index is out of range"):
        Client(address).call("PING")
    refusals: list[object] = []
    with Client(address, on_refusal=lambda words, reply: refusals.append((words, reply.code))) as client:
        assert client.call("PING") == "PONG"
    assert refusals == [((b"SELECT", b"99"), "ERR")]


def test_the_password_and_the_name_come_from_the_url(server: RealServer) -> None:
    admin = Client(f"unix://{server.path}")
    admin.call("ACL", "SETUSER", "ada", "on", ">se cret", "~*", "+@all")
    address = Address(path=server.path, username="ada", password="se cret")
    with Client(address, timeout=10) as client:
        assert client.call("ACL", "WHOAMI") == b"ada"
    admin.call("ACL", "DELUSER", "ada")
    admin.close()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://localhost", Address("localhost")),
        ("redis://:p%40ss@h:7/3", Address("h", 7, password="p@ss", database=3)),
        ("valkey://ada:x@[::1]:7", Address("::1", 7, username="ada", password="x")),
        ("unix:///tmp/a%20b?db=2", Address(path="/tmp/a b", database=2)),
    ],
)
def test_urls(url: str, expected: Address) -> None:
    assert Address.from_url(url) == expected
    assert Address.from_url(url.replace("redis:", "rediss:")).tls is not None or "redis:" not in url


def test_a_url_that_is_none_of_ours_is_refused() -> None:
    with pytest.raises(ValueError, match="Invalid URI scheme"):
        Address.from_url("http://localhost")


class Tape:
    """A tap that keeps everything."""

    def __init__(self) -> None:
        self.out = b""
        self.back = b""

    def sent(self, data: bytes) -> None:
        self.out += data

    def received(self, data: bytes) -> None:
        self.back += data


def test_a_tap_hears_all_bytes_in_both_directions(server: RealServer) -> None:
    tape = Tape()
    with Client(Address(path=server.path, protocol=3), tap=tape, timeout=10) as client:
        client.call("ECHO", "hi")
    assert tape.out == b"*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n*2\r\n$4\r\nECHO\r\n$2\r\nhi\r\n"
    assert tape.back.startswith(b"%")
    assert tape.back.endswith(b"$2\r\nhi\r\n")


def test_what_is_not_resp_ends_the_connection(tmp_path: Path) -> None:
    import socket
    import threading

    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()

        def answer() -> None:
            peer, _ = listener.accept()
            with peer:
                peer.recv(100)
                peer.sendall(b"HTTP/1.1 400\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        with (
            Client(Address(path=path), timeout=10) as client,
            pytest.raises(ConnectionLostError, match="Protocol error"),
        ):
            client.call("PING")
        thread.join(10)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl to make a certificate with")
def test_tls_checks_who_answers(tmp_path: Path) -> None:
    import socket
    import ssl
    import subprocess
    import threading

    from cutaway.client import Tls

    key, certificate = str(tmp_path / "key.pem"), str(tmp_path / "cert.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate,
         "-days", "2", "-subj", "/CN=server", "-addext", "subjectAltName=DNS:server"],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def answer() -> None:
            for _ in range(4):
                peer, _address = listener.accept()
                try:
                    with context.wrap_socket(peer, server_side=True) as secure:
                        while secure.recv(100):
                            secure.sendall(b"+PONG\r\n")
                except OSError:
                    peer.close()

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        with Client(
            Address(port=port, tls=Tls(authorities=certificate, server_name="server")), timeout=10
        ) as client:
            assert client.call("PING") == "PONG"
        with Client(Address(port=port, tls=Tls(verify=False)), timeout=10) as client:
            assert client.call("PING") == "PONG"
        secure = Address(port=port, tls=Tls(authorities=certificate, server_name="server"))

        async def scenario() -> None:
            async with AsyncClient(secure, timeout=10) as client:
                assert await client.call("PING") == "PONG"

        asyncio.run(scenario())
        with pytest.raises(ConnectError, match="certificate verify failed"):
            Client(Address(port=port, tls=Tls()), timeout=10).call("PING")
        thread.join(10)
