"""TLS over a socket, with certificates made for the test by `openssl`."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import time
from pathlib import Path

import pytest

from cutaway.server.certificates import read_certificate
from cutaway.testing import free_port

redis = pytest.importorskip("redis")
openssl = shutil.which("openssl")
if openssl is None:
    pytest.skip("there is no openssl to make certificates with", allow_module_level=True)


class Authority:
    """A folder with a certificate authority, and what it has signed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                  "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=authority")  # fmt: skip

    def _run(self, *arguments: str) -> None:
        subprocess.run([openssl, *arguments], cwd=self.folder, check=True, capture_output=True)

    def issue(self, name: str, *, uri: str = "urn:none", password: str = "") -> None:
        """A key and a certificate, `name`.key and `name`.crt."""
        hidden = ["-aes256", "-pass", f"pass:{password}"] if password else []
        self._run(
            "genpkey",
            "-algorithm",
            "EC",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            *hidden,
            "-out",
            f"{name}.key",
        )
        given = ["-passin", f"pass:{password}"] if password else []
        self._run("req", "-new", "-key", f"{name}.key", *given, "-out", f"{name}.csr", "-subj", f"/CN={name}")
        (self.folder / "names").write_text(f"subjectAltName=IP:127.0.0.1,DNS:localhost,URI:{uri}")
        self._run("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
                  "-out", f"{name}.crt", "-extfile", "names")  # fmt: skip

    def path(self, name: str) -> str:
        return str(self.folder / name)

    def server(self, name: str = "server") -> list[str]:
        """The directives of a server that shows the certificate `name`."""
        return [
            "--tls-cert-file",
            self.path(f"{name}.crt"),
            "--tls-key-file",
            self.path(f"{name}.key"),
            "--tls-ca-cert-file",
            self.path("ca.crt"),
        ]

    def client(self, name: str | None = None) -> dict[str, object]:
        """The options of a redis-py client that trusts this authority, and shows the certificate `name`."""
        shown = (
            {}
            if name is None
            else {"ssl_certfile": self.path(f"{name}.crt"), "ssl_keyfile": self.path(f"{name}.key")}
        )
        return {
            "ssl": True,
            "ssl_ca_certs": self.path("ca.crt"),
            "retry": redis.retry.Retry(redis.backoff.NoBackoff(), 0),
            **shown,
        }


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    made = Authority(tmp_path_factory.mktemp("certificates"))
    for name in ("server", "client"):
        made.issue(name)
    return made


def serial(port: int) -> int:
    """The number of the certificate that the server shows now."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", port), 10) as plain, context.wrap_socket(plain) as secured:
        found = subprocess.run([openssl, "x509", "-inform", "DER", "-serial", "-noout"], input=secured.getpeercert(binary_form=True),
                               capture_output=True, check=True)  # fmt: skip
    return int(found.stdout.partition(b"=")[2], 16)


def test_redis_py_and_redis_cli_speak_tls(start, authority):
    port = free_port()
    server = start("--tls-port", str(port), *authority.server())
    for protocol in (2, 3):
        with redis.Redis(port=port, protocol=protocol, **authority.client("client")) as client:
            assert client.set("k", b"x" * 100_000)
            assert client.get("k") == b"x" * 100_000
            assert client.pipeline().incr("n").incr("n").execute()[-1] % 2 == 0
    assert server.connect().ask("EXISTS", "k") == 1
    cli = shutil.which("redis-cli")
    if cli is not None:
        command = [
            cli,
            "-p",
            str(port),
            "--tls",
            "--cacert",
            authority.path("ca.crt"),
            "--cert",
            authority.path("client.crt"),
            "--key",
            authority.path("client.key"),
        ]
        said = subprocess.run(
            [*command, "STRLEN", "k"], capture_output=True, text=True, timeout=20, check=False
        )
        if "Unrecognized option" not in said.stderr:
            assert said.stdout.strip() == "100000"


def test_clients_must_show_a_certificate_unless_told_otherwise(start, authority, tmp_path):
    port = free_port()
    server = start("--tls-port", str(port), *authority.server())
    admin = server.connect()
    (tmp_path / "elsewhere").mkdir()
    stranger = Authority(tmp_path / "elsewhere")
    stranger.issue("client")
    foreign = {
        **authority.client(),
        "ssl_certfile": stranger.path("client.crt"),
        "ssl_keyfile": stranger.path("client.key"),
    }

    def is_let_in(**options: object) -> bool:
        try:
            with redis.Redis(port=port, **options) as client:
                return bool(client.ping())
        except (redis.ConnectionError, redis.TimeoutError):
            return False

    for setting, without, own, other in (
        ("yes", False, True, False),
        ("optional", True, True, False),
        ("no", True, True, True),
    ):
        assert admin.ask("CONFIG", "SET", "tls-auth-clients", setting) == "OK"
        assert is_let_in(**authority.client()) is without
        assert is_let_in(**authority.client("client")) is own
        assert is_let_in(**foreign) is other


def test_a_certificate_is_renewed_while_the_server_runs(start, authority):
    port = free_port()
    authority.issue("renewed")
    server = start("--tls-port", str(port), *authority.server("renewed"), "--tls-auth-clients", "no")
    admin, before = server.connect(), serial(port)
    with redis.Redis(port=port, **authority.client()) as connected:
        assert connected.ping()
        authority.issue("renewed")
        assert serial(port) == before
        assert (
            admin.ask(
                "CONFIG",
                "SET",
                "tls-cert-file",
                authority.path("renewed.crt"),
                "tls-key-file",
                authority.path("renewed.key"),
            )
            == "OK"
        )
        after = serial(port)
        assert after != before
        assert connected.ping()
        reply = str(admin.ask("CONFIG", "SET", "tls-cert-file", "/no/such/file"))
        assert reply.endswith("Unable to update TLS configuration. Check server logs.")
        assert "/no/such/file" in server.log.read_text()
        assert admin.ask("CONFIG", "GET", "tls-cert-file") == [
            b"tls-cert-file",
            authority.path("renewed.crt").encode(),
        ]
        assert serial(port) == after


def test_protocols_can_be_chosen(start, authority):
    port = free_port()
    server = start(
        "--tls-port", str(port), *authority.server(), "--tls-auth-clients", "no", "--tls-protocols", "TLSv1.2"
    )
    admin = server.connect()

    def agreed() -> str | None:
        context = ssl.create_default_context(cafile=authority.path("ca.crt"))
        with (
            socket.create_connection(("127.0.0.1", port), 10) as plain,
            context.wrap_socket(plain, server_hostname="127.0.0.1") as secured,
        ):
            return secured.version()

    assert agreed() == "TLSv1.2"
    assert admin.ask("CONFIG", "SET", "tls-protocols", "TLSv1.3") == "OK"
    assert agreed() == "TLSv1.3"
    assert "Unable to update" in str(admin.ask("CONFIG", "SET", "tls-protocols", "SSLv2"))
    assert admin.ask("CONFIG", "SET", "tls-protocols", "") == "OK"
    assert agreed() == "TLSv1.3"


def test_a_certificate_names_the_user(start, authority):
    port = free_port()
    authority.issue("alice", uri="urn:bob")
    users = "--user alice on >x +acl|whoami --user urn:bob on >x +acl|whoami --user default off"
    server = start(
        "--tls-port", str(port), *authority.server(), "--tls-auth-clients-user", "CN", *users.split()
    )
    with redis.Redis(port=port, **authority.client("alice")) as client:
        assert client.execute_command("ACL", "WHOAMI") == b"alice"
    with (
        redis.Redis(port=port, **authority.client("client")) as client,
        pytest.raises(redis.AuthenticationError),
    ):
        client.acl_whoami()
    assert server.stop() == 0
    server = start(
        "--tls-port", str(port), *authority.server(), "--tls-auth-clients-user", "URI", *users.split()
    )
    with redis.Redis(port=port, **authority.client("alice")) as client:
        assert client.execute_command("ACL", "WHOAMI") == b"urn:bob"


def test_a_key_may_have_a_password_that_is_not_told(start, authority):
    port = free_port()
    authority.issue("locked", password="sesame")
    server = start(
        "--tls-port",
        str(port),
        *authority.server("locked"),
        "--tls-key-file-pass",
        "sesame",
        "--tls-auth-clients",
        "no",
    )
    with redis.Redis(port=port, **authority.client()) as client:
        assert client.ping()
    assert "sesame" not in server.log.read_text()


@pytest.mark.parametrize(
    ("missing", "told"),
    [
        ("--tls-cert-file", "tls-cert-file is not set"),
        ("--tls-key-file", "tls-key-file is not set"),
        ("--tls-ca-cert-file", "tls-ca-cert-file"),
    ],
)
def test_without_what_tls_needs_the_server_does_not_start(start, authority, missing, told):
    options = authority.server()
    place = options.index(missing)
    with pytest.raises(RuntimeError, match=told):
        start("--tls-port", str(free_port()), *options[:place], *options[place + 2 :])


def test_ports_can_be_moved_while_the_server_runs(start, authority):
    server = start(*authority.server(), "--tls-auth-clients", "no")
    admin, port = server.connect(), free_port()
    assert admin.ask("CONFIG", "SET", "tls-port", port) == "OK"
    with redis.Redis(port=port, **authority.client()) as client:
        assert client.ping()
        assert "Unable to listen on this port" in str(admin.ask("CONFIG", "SET", "port", port))
        assert server.connect().ask("PING") == "PONG"
        assert client.config_set("port", 0)
        with pytest.raises(ConnectionRefusedError):
            server.connect()
        assert admin.ask("PING") == "PONG"
        assert client.config_set("port", server.port)
    assert server.connect().ask("PING") == "PONG"


def test_info_tells_the_certificates_and_a_renewed_one_is_found_by_itself(start, authority):
    port = free_port()
    authority.issue("renewed")
    authority.issue("renewable")
    running = start(
        "--tls-port",
        str(port),
        *authority.server("renewable"),
        "--tls-auto-reload-interval",
        "1",
        "--tls-auth-clients",
        "no",
    )
    peer, first = running.connect(), serial(port)

    def told() -> dict[str, str]:
        return dict(line.split(":", 1) for line in peer.ask("INFO", "tls").decode().splitlines()[1:])

    assert int(told()["tls_server_cert_serial"], 16) == first
    assert 86_400 < int(told()["tls_server_cert_expires_in_seconds"]) <= 2 * 86_400
    assert told()["tls_ca_cert_serial"] not in ("none", told()["tls_server_cert_serial"])
    assert (told()["tls_client_cert_serial"], told()["tls_client_cert_expires_in_seconds"]) == ("none", "0")
    for kind in ("key", "crt"):
        shutil.copy(authority.path(f"renewed.{kind}"), authority.path(f"renewable.{kind}"))
    for _ in range(300):
        if serial(port) != first:
            break
        time.sleep(0.1)
    assert serial(port) == int(told()["tls_server_cert_serial"], 16) != first


def test_a_file_that_is_no_certificate_is_none(authority, tmp_path):
    assert read_certificate(str(tmp_path / "nosuch")) is None
    assert read_certificate(authority.path("server.key")) is None
    good = Path(authority.path("server.crt")).read_text()
    lines = good.splitlines()
    cut = tmp_path / "cut"
    for kept in range(1, len(lines)):
        cut.write_text("\n".join([*lines[:kept], lines[-1]]))
        assert (read_certificate(str(cut)) is None) == (kept < len(lines) - 1)
