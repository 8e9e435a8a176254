"""A simulated AWS organization in one process: moto, with what it lacks, faults on demand and a record of every request.

    python server.py        prints `listening on http://127.0.0.1:PORT`, and ends when its standard input is closed

Besides AWS's own APIs it answers, in JSON:

    POST   /preflight/rows    {account, region, operation, items}   rows for an operation of the plug-in, such as ssm:GetInventory
    DELETE /preflight/rows    {account?, region?, operation?}
    POST   /preflight/faults  {service, action?, account?, region?, page?, times?, code, message, status}
    DELETE /preflight/faults
    GET    /preflight/calls   every request to AWS since the start or the last DELETE
    DELETE /preflight/calls
    GET    /preflight/drift   answers of the plug-in that were not in the shape of AWS's models; must be empty
    POST   /preflight/pages   {at_most}   no list gives larger pages; null lifts the limit
"""

from __future__ import annotations

import json
import os
import sys
import threading
import traceback
from typing import Any

from moto.ec2.responses import EC2Response
from moto.moto_server.werkzeug_app import BackendRequest, DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from moto.route53resolver.responses import Route53ResolverResponse
from moto.ssm.responses import SimpleSystemManagerResponse
from werkzeug.serving import make_server
from werkzeug.test import run_wsgi_app
from werkzeug.wrappers import Response

import lean
import like_aws
import paging
import plugin
import plugin_ec2  # noqa: F401  declares its operations
import wire
from call import understand
from faults import Faults
from plugin_dns import ProfilesResponse
from plugin_ssm import QuickSetupResponse
from record import Record

# moto knows no such services and would take their requests for ones of S3.
WITHOUT_MOTO = {"route53profiles": ProfilesResponse, "ssm-quicksetup": QuickSetupResponse}
RESPONSES = {"ec2": EC2Response, "route53resolver": Route53ResolverResponse, "ssm": SimpleSystemManagerResponse, **WITHOUT_MOTO}


class Front:
    """Stands before moto: records, fails where it shall, and mends and pages what moto answers."""

    def __init__(self) -> None:
        plugin.register(RESPONSES)
        self.moto = DomainDispatcherApplication(create_backend_app)
        self.faults, self.record, self.limit = Faults(), Record(), paging.Limit()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        request = BackendRequest(environ)
        # Read whole, or the rest of it would stand before the next request on the same connection.
        body = request.get_data()
        paging.put_body(request, body)
        try:
            response = self.control(request) if request.path.startswith("/preflight/") else self.aws(request)
        except Exception:
            # A mistake of this server, which must not look like silence.
            traceback.print_exc()
            response = Response(traceback.format_exc(), 500)
        return response(environ, start_response)

    def aws(self, request: BackendRequest) -> Response:
        call = understand(request)
        if call is None:
            self.record.unknown(request.method, request.path)
            return self.ask_moto(request)
        self.record.add(call)
        response = self.faults.strike(call) or like_aws.refusal(call)
        if response is not None:
            return response
        try:
            paging.check(call)
        except plugin.Refused as refused:
            return wire.error(call, refused.code, refused.message, refused.status)
        request.environ[plugin.IN_ENVIRON] = call
        paging.hide(call, request)
        own = WITHOUT_MOTO.get(call.service)
        response = self.ask(own, request) if own else self.ask_moto(request)
        if response.status_code == 200 and (paging.List.of(call) or call.name in like_aws.MENDERS):
            content = wire.read(call, response)
            like_aws.mend(call, content)
            paging.cut(call, content, self.limit)
            response = wire.answer(call, content)
        response.headers.setdefault("x-amzn-RequestId", wire.request_id())
        return response

    def ask_moto(self, request: BackendRequest) -> Response:
        return Response.from_app(self.moto, request.environ, buffered=True)

    @staticmethod
    def ask(own: type[ProfilesResponse | QuickSetupResponse], request: BackendRequest) -> Response:
        status, headers, body = own.dispatch(request)
        return Response(body, status, headers)

    def control(self, request: BackendRequest) -> Response:
        given = json.loads(request.get_data() or b"{}")
        try:
            match request.method, request.path.removeprefix("/preflight/"):
                case "POST", "rows":
                    plugin.STORE.put(given["account"], given["region"], given["operation"], given["items"])
                case "DELETE", "rows":
                    plugin.STORE.clear(**given)
                case "POST", "faults":
                    self.faults.add(given)
                case "DELETE", "faults":
                    self.faults.clear()
                case "GET", "calls":
                    return in_json(self.record.all())
                case "DELETE", "calls":
                    self.record.clear()
                case "GET", "drift":
                    return in_json(plugin.STORE.drift())
                case "POST", "pages":
                    self.limit.at_most = given["at_most"]
                case _:
                    return in_json({"error": "no such control path"}, 404)
        except (KeyError, ValueError) as wrong:
            return in_json({"error": repr(wrong)}, 400)
        return in_json({})


def in_json(content: Any, status: int = 200) -> Response:
    return Response(json.dumps(content, default=str), status, content_type="application/json")


class Handler(MotoRequestHandler):
    """Keeps connections open, as AWS does. werkzeug's own handler closes each, after looking for ten milliseconds for more of it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def run_wsgi(self) -> None:
        content, status, headers = run_wsgi_app(self.server.app, self.make_environ(), buffered=True)
        body = b"".join(content)
        code, _, reason = status.partition(" ")
        self.send_response(int(code), reason)
        for name, value in headers:
            if name.lower() not in ("connection", "content-length", "transfer-encoding"):
                self.send_header(name, value)
        # With its length, an empty one too: on a connection that stays open nothing else tells where the answer ends.
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, *_: Any) -> None:
        """Standard output holds one line alone, and nobody reads a log of every request."""


def end_with_input() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


def main() -> None:
    lean.trim()
    server = make_server("127.0.0.1", 0, Front(), threaded=True, request_handler=Handler)
    print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
    threading.Thread(target=end_with_input, daemon=True).start()
    server.serve_forever()


if __name__ == "__main__":
    main()
