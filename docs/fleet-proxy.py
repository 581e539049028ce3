#!/usr/bin/env python3
"""A proxy for tenants with an index of their own: GET, PUT and DELETE of /INDEX/_doc/ID.

usage: fleet-proxy.py API TOKEN-FILE HOST:PORT [SECONDS]
SECONDS (30) is for how long a write of unknown outcome may still take effect.
"""
import http.server, json, signal, sys, threading
from urllib import error, parse

from sluice_fleet import Fleet, Refused, fetch


def serve(fleet, method, tenant, index, doc, body):
    with fleet.admit(tenant, write=method != "GET") as ticket:
        place = ticket.placement
        if place["kind"] != "dedicated_index" or place.get("logical") != index or "*" in place["index"]:
            raise Refused(501, "this proxy serves tenants with one index, by its own name")
        url = f"{fleet.endpoint(place['cluster'])}/{place['index']}/_doc/{parse.quote(doc, safe='')}"
        ticket.send((index, doc))
        try:
            with fetch(method, url, body, timeout=fleet.drain / 3) as r:
                answer = r.status, r.read()
        except error.HTTPError as e:
            answer = e.code, e.read()
        if answer[0] < 500:  # else it may have been done, or not
            ticket.answered()
    return answer


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_any(self):
        url = parse.urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            if url.path.startswith("/-/fleet/v1/"):
                query = dict(parse.parse_qsl(url.query))
                status, answer = 200, json.dumps(self.server.fleet.controllers(url.path[12:], query, self.headers.get("Authorization", ""))).encode()
            else:
                parts = url.path.split("/")
                if len(parts) != 4 or parts[2] != "_doc" or url.query or "" in parts[1:]:
                    raise Refused(501, "this proxy serves /INDEX/_doc/ID")
                status, answer = serve(self.server.fleet, self.command, self.headers.get("X-Sluice-Tenant", ""), parts[1], parse.unquote(parts[3]), body or None)
        except Refused as e:
            status, answer = e.args[0], json.dumps({"error": e.args[1]}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass

    do_GET = do_PUT = do_DELETE = do_POST = handle_any


class Server(http.server.ThreadingHTTPServer):
    daemon_threads, request_queue_size = True, 128

    def stop(self, *_):
        def leave():
            try:
                self.fleet.leave()
            finally:
                self.shutdown()

        threading.Thread(target=leave).start()


def main(api, token_file, listen, drain=30):
    host, _, port = listen.rpartition(":")
    server = Server((host, int(port)), Handler)
    with open(token_file) as f:
        server.fleet = Fleet(api, f.read().strip(), "python " + listen, "http://" + listen, float(drain))
    for name in signal.SIGTERM, signal.SIGINT:
        signal.signal(name, server.stop)
    server.fleet.start()
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
