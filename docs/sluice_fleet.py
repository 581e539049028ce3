"""What makes a program in Python a proxy of a Sluice fleet, with nothing but the standard library.

    fleet = Fleet(api, token, name, address)
    fleet.start()
    with fleet.admit(tenant, write=True) as ticket:  # counted under the tenant's entry, held during a cutover
        place = ticket.placement                     # where the tenant lives now
        ticket.send((index, doc))                    # right before the request is sent: what it may touch
        ...                                          # the request is sent, once
        ticket.answered()                            # the cluster has answered: the outcome is known

The block ends with Refused if the outcome is not known, or the session has ended meanwhile: whoever is fenced out
acknowledges nothing. Refused has a status to answer with, and why. At /-/fleet/v1/ of its address the program gives
controllers what controllers returns. docs/fleet.md says why each step is as it is.
"""
import collections, hmac, json, sys, threading, time
from http.client import HTTPException
from urllib import error, parse, request

BROKEN = OSError, HTTPException, ValueError  # a connection


class Refused(Exception):
    """A status, and why."""


def now():  # a clock that counts the time in which the machine is suspended
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def fetch(method, url, body=None, timeout=5, **headers):
    return request.urlopen(request.Request(url, body, {"Content-Type": "application/json", **headers}, method=method), timeout=timeout)


class Fleet:
    """The fleet as a proxy sees it. drain is for how many seconds a write of unknown outcome may still take effect,
    hold for how many a request waits for what it lacks."""

    def __init__(self, api, token, name, address, drain=30.0, hold=5.0):
        self.api, self.token, self.name, self.address, self.drain, self.hold = api, token, name, address, drain, hold
        self.lock = threading.Condition()  # guards everything below, and notifies of it
        self.table, self.clusters, self.applied = {}, {}, 0
        self.busy = collections.Counter()  # (tenant, epoch, is it a write): requests under way
        self.unresolved = collections.Counter()  # tenant: writes that may still take effect
        self.journals = collections.defaultdict(dict)  # tenant: what was touched: sequence, in its order
        self.heads, self.touched, self.dirty, self.closing, self.session = {}, 0, True, False, None

    def start(self):
        threading.Thread(target=self._member, daemon=True).start()

    def admit(self, tenant, write):
        """Waits until the request may be sent, and returns a Ticket, which must be used by with."""
        deadline = now() + self.hold
        try:  # asked after the request has arrived: what it says is newer than the request
            fresh = self.call("GET", "/barrier?tenant=" + parse.quote(tenant, safe=""))["epochs"][tenant]
        except BROKEN as e:
            raise Refused(503, f"the store cannot be asked: {e}")
        with self.lock:
            while True:
                e, session = self.table.get(tenant, {}), self.session
                if self.closing or not (session and session.ready and session.valid()):
                    why = "this proxy is not part of the fleet now"
                elif self.applied < fresh:
                    why = "the table is not known well enough"
                elif not e or fresh == 0 or e.get("removed"):
                    raise Refused(404, "there is no such tenant")
                elif write and e["phase"] == "cutover":
                    why = "the tenant is moving"  # and its writes are held
                else:
                    self.busy[tenant, e["epoch"], write] += 1
                    return Ticket(self, session, e, write)
                if not self.lock.wait(max(0, deadline - now())):
                    raise Refused(503, why)

    def endpoint(self, cluster):
        """A base URL of a cluster."""
        if cluster not in self.clusters:
            try:
                self.clusters.update((c["name"], c["endpoints"][0]) for c in self.call("GET", "/clusters?limit=1000")["items"])
            except BROKEN as e:
                raise Refused(503, f"the clusters cannot be listed: {e}")
        return self.clusters[cluster]

    def controllers(self, path, query, authorization):
        """What controllers read at the address, below /-/fleet/v1/: the journals, for them alone."""
        with self.lock:
            session = self.session
            if not session or not hmac.compare_digest(authorization.encode(), b"Bearer " + session.token.encode()):
                raise Refused(401, "for controllers")
            entries = self.journals.get(query.get("partition"), {})
            if path not in ("journal", "journal/confirm"):
                raise Refused(404, "not served here")
            if query.get("session") != session.id:
                raise Refused(410, "another session")
            if path == "journal/confirm":
                for ref in [r for r, n in entries.items() if n <= int(query["upto"])]:
                    del entries[ref]
                return {}
            after = [(n, r) for r, n in entries.items() if n > int(query["after"])]
            page = [{"seq": n, "kind": "doc", "doc": dict(zip(("index", "id", "routing"), r))} for n, r in after[: int(query["max"])]]
            return {"session": session.id, "head": self.heads.get(query["partition"], 0), "lost": False, "more": len(after) > len(page), "entries": page}

    def leave(self, patience=15):
        """Takes nothing more, and leaves when nothing is left to account for, or after patience seconds."""
        self.closing, end = True, now() + patience
        self.changed()
        while (left := +self.busy or +self.unresolved or any(self.journals.values())) and now() < end:
            time.sleep(0.05)
        if self.session:
            self.session.over = True
            try:
                self.session.ask("DELETE", f"?clean={'false' if left else 'true'}")
            except BROKEN as e:  # who holds it is gone or has given it up: the fleet accounts for one that vanished
                print("leaving the fleet:", e, file=sys.stderr)

    def call(self, method, path, body=None, base=None):
        with fetch(method, (base or self.api) + "/api/v1/fleet" + path, body and json.dumps(body).encode(), Authorization="Bearer " + self.token) as answer:
            return json.load(answer)

    def changed(self):
        with self.lock:
            self.dirty = True
            self.lock.notify_all()

    def _member(self):  # a session after another
        while not self.closing:
            try:
                self.session = s = Session(self)  # before the table is listed
                threading.Thread(target=s.keep, daemon=True).start()
                self._follow(s)
            except BROKEN as e:
                print("joining the fleet:", e, file=sys.stderr)
                time.sleep(0.2)

    def _follow(self, session):
        while session.valid():
            try:
                entries, version, cursor = {}, None, ""
                while cursor is not None:
                    page = self.call("GET", "/table?limit=1000&cursor=" + cursor)
                    entries.update((e["tenant"], e) for e in page["items"])
                    version, cursor = page.get("version", version), page.get("next")
                with self.lock:
                    for tenant in [t for t in self.table if t not in entries]:
                        self._enter({"tenant": tenant, "epoch": version, "removed": True})
                    for e in entries.values():
                        self._enter(e)
                    self.applied = max(self.applied, version)
                self.changed()
                if not session.sequence:
                    threading.Thread(target=session.publish, daemon=True).start()
                while self._changes(session):
                    pass
            except BROKEN:
                time.sleep(0.1)

    def _changes(self, session):  # until the table must be listed anew
        try:
            with fetch("GET", f"{self.api}/api/v1/fleet/table/changes?from={self.applied}", timeout=15, Authorization="Bearer " + self.token) as lines:
                for line in map(json.loads, lines):
                    with self.lock:
                        for e in line.get("changes", []):
                            self._enter(e)
                        self.applied = max(self.applied, line.get("applied", 0))
                    if line.get("changes"):
                        self.changed()
                    if line.get("list_anew") or not session.valid():
                        return False
        except BROKEN:  # it goes on from what was applied
            time.sleep(0.1)
        return session.valid()

    def _enter(self, e):  # the newest entry of a tenant; with lock
        old = self.table.get(e["tenant"], {})
        if e["epoch"] > old.get("epoch", 0):
            if e.get("move") != old.get("move"):  # a journal belongs to one move
                self.journals.pop(e["tenant"], None), self.heads.pop(e["tenant"], None)
            self.table[e["tenant"]] = e

    def _journal(self, ticket):  # with lock; before whatever lets the barrier pass
        tenant = ticket.entry["tenant"]
        if ticket.entry.get("move") and self.table[tenant].get("move"):
            for ref in ticket.refs:
                self.touched += 1
                self.journals[tenant].pop(ref, None)
                self.journals[tenant][ref] = self.heads[tenant] = self.touched

    def _settle(self, ticket):  # an unknown write has taken effect by now, or never will
        with self.lock:
            self._journal(ticket)
            self.unresolved[ticket.entry["tenant"]] -= 1
        self.changed()

    def _report(self):  # one moment's; with lock
        def under_way(write):  # admitted under an older entry than the tenant's
            return sorted({t for (t, e, w), n in self.busy.items() if n and w == write and self.table.get(t, {}).get("epoch") != e})

        return {"applied": self.applied, "pending": under_way(True), "old_reads": under_way(False), "unresolved": sorted(+self.unresolved),
                "journals": {t: {"head": h} for t, h in self.heads.items()}, "closing": self.closing}


class Ticket:
    """One admitted request, of one session and of one entry of the table."""

    def __init__(self, fleet, session, entry, write):
        self.fleet, self.session, self.entry, self.write = fleet, session, entry, write
        self.placement, self.refs, self.sent, self.known = entry["placement"], (), False, False

    def __enter__(self):
        return self

    def send(self, *refs):
        """Right before the request is sent. refs are the documents that it may touch: (index, id) or (index, id, routing),
        with the index as clients name it."""
        if self.write and not refs:
            raise ValueError("a write touches something")  # or it would be lost at the flip
        if self.write and not self.session.valid():
            raise Refused(503, "the session ended before the write was sent")
        self.refs, self.sent = refs, True

    def answered(self):
        """The cluster has answered, wholly and with a status below 500: anything else may have taken effect or not."""
        if not self.sent:
            raise ValueError("nothing was sent")  # send is not to be forgotten
        self.known = True

    def __exit__(self, *_):
        fleet, tenant = self.fleet, self.entry["tenant"]
        with fleet.lock:
            valid = self.session.valid()  # after the outcome
            if self.write and self.known:
                fleet._journal(self)
            elif self.write and self.sent:
                fleet.unresolved[tenant] += 1  # before the count goes down
                timer = threading.Timer(fleet.drain, fleet._settle, (self,))
                timer.daemon = True  # the process does not wait for it: leave has its own patience
                timer.start()
            fleet.busy[tenant, self.entry["epoch"], self.write] -= 1
        fleet.changed()
        if self.sent and not (self.known and (valid or not self.write)):
            raise Refused(504 if self.write else 502, "the outcome is unknown")


class Session:
    """A session that a controller holds for this process; it opens when it is made."""

    def __init__(self, fleet):
        self.fleet = fleet
        with fleet.lock:  # what an earlier session leaves is this one's; its journals are lost, and the controllers know
            fleet.journals.clear(), fleet.heads.clear()
            left = {"pending": sorted({t for (t, _, w), n in fleet.busy.items() if n and w}), "unresolved": sorted(+fleet.unresolved)}
        asked = now()
        s = fleet.call("POST", "/sessions", {"name": fleet.name, "address": fleet.address, "capabilities": ["journal"], **left})
        self.id, self.base, self.token = s["session"], s["controller"], s["token"]
        self.ends, self.every = asked + s["valid_for"] / 1e9, s["ttl"] / 4e9
        self.over, self.ready, self.sequence = False, False, 0

    def valid(self):  # once over, over for ever
        self.over = self.over or now() >= self.ends
        return not self.over

    def ask(self, method, what, body=None):
        try:
            return self.fleet.call(method, f"/sessions/{self.id}{what}", body, self.base)
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
        fleet = self.fleet
        while self.valid():
            with fleet.lock:
                fleet.lock.wait_for(lambda: fleet.dirty, self.every)
                fleet.dirty, self.sequence = False, self.sequence + 1  # a new number, also for what is repeated
                report = {"sequence": self.sequence, **fleet._report()}
            try:
                self.ask("PUT", "/report", report)
                with fleet.lock:
                    self.ready = True  # nothing is served before the first
                    fleet.lock.notify_all()
            except BROKEN:
                fleet.changed()
                time.sleep(0.1)
