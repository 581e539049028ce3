#!/usr/bin/env python3
"""A proxy for tenants with an index of their own: GET, PUT and DELETE of /INDEX/_doc/ID.

usage: fleet-proxy.py API TOKEN-FILE HOST:PORT [SECONDS]
SECONDS (30) is for how long a write of unknown outcome may still take effect.
"""
import collections, hmac, http.server, json, signal, sys, threading, time
from http.client import HTTPException
from urllib import error, parse, request

BROKEN = OSError, HTTPException, ValueError  # a connection

API, LISTEN = sys.argv[1], sys.argv[3]
TOKEN = open(sys.argv[2]).read().strip()
DRAIN, HOLD = float((sys.argv + [30])[4]), 5.0
lock = threading.Condition()  # guards everything below
table, clusters, applied = {}, {}, 0
busy = collections.Counter()  # (tenant, epoch, is it a write): requests under way
unresolved = collections.Counter()  # tenant: writes that may still take effect
journals = collections.defaultdict(dict)  # tenant: (index, id): sequence, in its order
heads, touched, dirty, closing, session = {}, 0, True, False, None


class Refused(Exception):
    """A status, and why."""


def now():  # a clock that counts the time in which the machine is suspended
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def fetch(method, url, body=None, timeout=5, **headers):
    return request.urlopen(request.Request(url, body, {"Content-Type": "application/json", **headers}, method=method), timeout=timeout)


def call(method, path, body=None, base=API):
    with fetch(method, base + "/api/v1/fleet" + path, body and json.dumps(body).encode(), Authorization="Bearer " + TOKEN) as answer:
        return json.load(answer)


class Session:
    def __init__(self):
        with lock:  # what an earlier session leaves is this one's; its journals are lost, and the controllers know
            journals.clear(), heads.clear()
            left = {"pending": sorted({t for (t, _, w), n in busy.items() if n and w}), "unresolved": sorted(+unresolved)}
        asked = now()
        s = call("POST", "/sessions", {"name": "python " + LISTEN, "address": "http://" + LISTEN, "capabilities": ["journal"], **left})
        self.id, self.base, self.token, self.must = s["session"], s["controller"], s["token"], s["must_apply"]
        self.ends, self.every = asked + s["valid_for"] / 1e9, s["ttl"] / 4e9
        self.over, self.ready, self.sequence = False, False, 0

    def valid(self):  # once over, over for ever
        self.over = self.over or now() >= self.ends
        return not self.over

    def ask(self, method, what, body=None):
        try:
            return call(method, f"/sessions/{self.id}{what}", body, self.base)
        except error.HTTPError as e:
            self.over = self.over or e.code == 410
            raise

    def keep(self):  # renews it; the deadline counts from before the request
        while self.valid():
            asked = now()
            try:
                valid_for = self.ask("POST", "/renew")["valid_for"] / 1e9
                if self.valid():  # what comes too late revives nothing
                    self.ends = asked + valid_for
                time.sleep(self.every)
            except BROKEN:
                time.sleep(self.every / 8)

    def publish(self):  # what is published is one moment's: epochs are acknowledged by it
        global dirty
        while self.valid():
            with lock:
                lock.wait_for(lambda: dirty, self.every)
                dirty, self.sequence = False, self.sequence + 1  # a new number, also for what is repeated
                old = {w: sorted({t for (t, e, is_write), n in busy.items() if n and is_write == w and table.get(t, {}).get("epoch") != e}) for w in (True, False)}
                r = {"sequence": self.sequence, "applied": applied, "pending": old[True], "old_reads": old[False], "unresolved": sorted(+unresolved),
                     "journals": {t: {"head": h} for t, h in heads.items()}, "closing": closing}
            try:
                self.ask("PUT", "/report", r)
                with lock:
                    self.ready = True  # nothing is served before the first
                    lock.notify_all()
            except BROKEN:
                changed()
                time.sleep(0.1)

    def follow(self):
        global applied
        while self.valid():
            try:
                entries, version, cursor = {}, None, ""
                while cursor is not None:
                    page = call("GET", "/table?limit=1000&cursor=" + cursor)
                    entries.update((e["tenant"], e) for e in page["items"])
                    version, cursor = page.get("version", version), page.get("next")
                with lock:
                    for tenant in [t for t in table if t not in entries]:
                        enter({"tenant": tenant, "epoch": version, "removed": True})
                    for e in entries.values():
                        enter(e)
                    applied = max(applied, version)
                changed()
                if not self.sequence:
                    threading.Thread(target=self.publish, daemon=True).start()
                while self.changes():
                    pass
            except BROKEN:
                time.sleep(0.1)

    def changes(self):  # until the table must be listed anew
        global applied
        try:
            with fetch("GET", f"{API}/api/v1/fleet/table/changes?from={applied}", timeout=15, Authorization="Bearer " + TOKEN) as lines:
                for line in map(json.loads, lines):
                    with lock:
                        for e in line.get("changes", []):
                            enter(e)
                        applied = max(applied, line.get("applied", 0))
                    if line.get("changes"):
                        changed()
                    if line.get("list_anew") or not self.valid():
                        return False
        except BROKEN:  # it goes on from what was applied
            time.sleep(0.1)
        return self.valid()


def changed():
    global dirty
    with lock:
        dirty = True
        lock.notify_all()


def enter(e):  # the newest entry of a tenant; with lock
    old = table.get(e["tenant"], {})
    if e["epoch"] > old.get("epoch", 0):
        if e.get("move") != old.get("move"):  # a journal belongs to one move
            journals.pop(e["tenant"], None), heads.pop(e["tenant"], None)
        table[e["tenant"]] = e


def journal(tenant, entry, ref):  # with lock; before whatever lets the barrier pass
    global touched
    if entry.get("move") and table[tenant].get("move"):
        touched += 1
        journals[tenant].pop(ref, None)
        journals[tenant][ref] = heads[tenant] = touched


def admit(tenant, index, write):
    deadline = now() + HOLD
    try:  # asked after the request has arrived: what it says is newer than the request
        fresh = call("GET", "/barrier?tenant=" + parse.quote(tenant, safe=""))["epochs"][tenant]
    except BROKEN as e:
        raise Refused(503, f"the store cannot be asked: {e}")
    with lock:
        while True:
            e, place = table.get(tenant, {}), table.get(tenant, {}).get("placement", {})
            if closing or not (session and session.ready and session.valid()):
                why = "this proxy is not part of the fleet now"
            elif applied < fresh:
                why = "the table is not known well enough"
            elif not e or fresh == 0 or e.get("removed"):
                raise Refused(404, "there is no such tenant")
            elif place.get("kind") != "dedicated_index" or place.get("logical") != index or "*" in place["index"]:
                raise Refused(501, "this proxy serves tenants with one index, by its own name")
            elif write and e["phase"] == "cutover":
                why = "the tenant is moving"  # and its writes are held
            else:
                busy[tenant, e["epoch"], write] += 1
                return session, e
            if not lock.wait(max(0, deadline - now())):
                raise Refused(503, why)


def serve(method, tenant, index, doc, body):
    write = method != "GET"
    s, entry = admit(tenant, index, write)
    answer = None
    try:
        base = endpoint(entry["placement"]["cluster"])
        if write and not s.valid():
            raise Refused(503, "the session ended before the write was sent")
        try:
            with fetch(method, f"{base}/{entry['placement']['index']}/_doc/{parse.quote(doc, safe='')}", body, timeout=DRAIN / 3) as r:
                answer = r.status, r.read()
        except error.HTTPError as e:
            if e.code < 500:
                answer = e.code, e.read()
        except BROKEN:
            pass
        finally:
            with lock:
                valid = s.valid()  # after the outcome
                if write and answer:
                    journal(tenant, entry, (index, doc))
                elif write:
                    unresolved[tenant] += 1  # before the count goes down
                    threading.Timer(DRAIN, settle, (tenant, entry, (index, doc))).start()
    finally:
        with lock:
            busy[tenant, entry["epoch"], write] -= 1
        changed()
    if not answer or write and not valid:  # whoever is fenced out acknowledges nothing
        raise Refused(504 if write else 502, "the outcome is unknown")
    return answer


def settle(tenant, entry, ref):  # an unknown write has taken effect by now, or never will
    with lock:
        journal(tenant, entry, ref)
        unresolved[tenant] -= 1
    changed()


def endpoint(cluster):
    if cluster not in clusters:
        try:
            clusters.update((c["name"], c["endpoints"][0]) for c in call("GET", "/clusters?limit=1000")["items"])
        except BROKEN as e:
            raise Refused(503, f"the clusters cannot be listed: {e}")
    return clusters[cluster]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_any(self):
        url = parse.urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            if url.path.startswith("/-/fleet/v1/"):
                status, answer = 200, json.dumps(self.controller(url.path[12:], dict(parse.parse_qsl(url.query)))).encode()
            else:
                parts = url.path.split("/")
                if len(parts) != 4 or parts[2] != "_doc" or url.query or "" in parts[1:]:
                    raise Refused(501, "this proxy serves /INDEX/_doc/ID")
                status, answer = serve(self.command, self.headers.get("X-Sluice-Tenant", ""), parts[1], parse.unquote(parts[3]), body or None)
        except Refused as e:
            status, answer = e.args[0], json.dumps({"error": e.args[1]}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def controller(self, what, q):  # the journals, for controllers alone
        with lock:
            if not session or not hmac.compare_digest(self.headers.get("Authorization", ""), "Bearer " + session.token):
                raise Refused(401, "for controllers")
            entries = journals.get(q.get("partition"), {})
            if what not in ("journal", "journal/confirm"):
                raise Refused(404, "not served here")
            if q.get("session") != session.id:
                raise Refused(410, "another session")
            if what == "journal/confirm":
                for ref in [r for r, n in entries.items() if n <= int(q["upto"])]:
                    del entries[ref]
                return {}
            after = [(n, r) for r, n in entries.items() if n > int(q["after"])]
            page = [{"seq": n, "kind": "doc", "doc": {"index": i, "id": d}} for n, (i, d) in after[: int(q["max"])]]
            return {"session": session.id, "head": heads.get(q["partition"], 0), "lost": False, "more": len(after) > len(page), "entries": page}

    def log_message(self, *_):
        pass

    do_GET = do_PUT = do_DELETE = do_POST = handle_any


class Server(http.server.ThreadingHTTPServer):
    daemon_threads, request_queue_size = True, 128


def member():  # a session after another
    global session
    while not closing:
        try:
            session = s = Session()  # before the table is listed
            threading.Thread(target=s.keep, daemon=True).start()
            s.follow()
        except BROKEN as e:
            print("joining the fleet:", e, file=sys.stderr)
            time.sleep(0.2)


def stop(*_):  # takes nothing more, and leaves when nothing is left to account for
    def leave():
        global closing
        closing, end = True, now() + 15
        changed()
        while (left := +busy or +unresolved or any(journals.values())) and now() < end:
            time.sleep(0.05)
        if session:
            session.over = True
            session.ask("DELETE", f"?clean={'false' if left else 'true'}")
        server.shutdown()

    threading.Thread(target=leave).start()


if __name__ == "__main__":
    host, _, port = LISTEN.rpartition(":")
    server = Server((host, int(port)), Handler)
    signal.signal(signal.SIGTERM, stop)
    threading.Thread(target=member, daemon=True).start()
    server.serve_forever()
