"""The program: ``python -m qbo_sandbox serve``.

Belongs here: arguments, the socket, the line that says where it listens. Does not: the application (``app.py``).
"""

import argparse
import asyncio
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

import uvicorn

from qbo_sandbox.app import build_app
from qbo_sandbox.operations import parse_json
from qbo_sandbox.sandbox import AppCredentials, open_sandbox
from qbo_sandbox.spec import BadSpecError, CompanySpec, spec_from_json
from qbo_sandbox.transport import DroppableProtocol


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit status."""
    parser = argparse.ArgumentParser(prog="qbo_sandbox", description="A local QuickBooks Online for tests and demos.")
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="serve companies over HTTP")
    serve.add_argument("--port", type=int, required=True, help="0 takes a free port")
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--state", type=Path, help="folder that keeps connections, registered companies and writes")
    serve.add_argument("--companies", type=Path, help="JSON list of company specs")
    serve.add_argument("--ready-file", type=Path, help="written with the address once the sandbox answers")
    serve.add_argument("--client-id", default=AppCredentials().client_id)
    serve.add_argument("--client-secret", default=AppCredentials().client_secret)
    options = parser.parse_args(arguments)
    try:
        specs = _specs(options.companies)
    except (OSError, ValueError) as error:
        parser.error(f"--companies: {error}")
    asyncio.run(_serve(options, specs))
    return 0


def _specs(path: Path | None) -> list[CompanySpec]:
    if path is None:
        return []
    listed = parse_json(path.read_bytes())
    if not isinstance(listed, list):
        raise BadSpecError(f"{path} holds no JSON list")
    return [spec_from_json(raw) for raw in listed]


async def _serve(options: argparse.Namespace, specs: list[CompanySpec]) -> None:
    credentials = AppCredentials(client_id=options.client_id, client_secret=options.client_secret)
    sandbox = open_sandbox(state=options.state, specs=specs, credentials=credentials)
    with socket.create_server((options.host, options.port), backlog=512) as listener:
        # Without it each answer on a kept-open connection waits 40 ms for the other side's delayed acknowledgement:
        # asyncio sets it only on sockets that name their protocol, and these do not.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        address = f"http://{options.host}:{listener.getsockname()[1]}"
        config = uvicorn.Config(
            build_app(sandbox),
            http=DroppableProtocol,
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=2,
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started and not serving.done():
            await asyncio.sleep(0.01)
        if server.started:
            _announce(address, options.ready_file)
        await serving


def _announce(address: str, ready_file: Path | None) -> None:
    sys.stdout.write(f"qbo_sandbox listening on {address}\n")
    sys.stdout.flush()
    if ready_file is not None:
        unfinished = ready_file.with_suffix(".part")
        unfinished.write_text(address, encoding="utf-8")
        unfinished.replace(ready_file)


if __name__ == "__main__":
    sys.exit(main())
