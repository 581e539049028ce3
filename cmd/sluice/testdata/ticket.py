"""What docs/sluice_fleet.py makes of each way in which a request can end, without a fleet."""
import contextlib, io, threading, time
from sluice_fleet import Fleet, Refused


class Session:
    ready, over = True, False

    def valid(self):
        return not self.over


def fleet():
    f = Fleet("http://nowhere", "t", "p", "http://here", drain=0.05, hold=0.05)
    f.session, f.applied = Session(), 7
    f.call = lambda *_: {"epochs": {"acme": 7, "ghost": 0}}
    f._enter({"tenant": "acme", "epoch": 7, "move": "m1", "phase": "draining", "placement": {"cluster": "a"}})
    return f


def end(write=True, send=True, answer=True, before=lambda f: None, after=lambda f: None, tenant="acme"):
    """How it ends: a status, or the name of an error, or None; and the fleet then."""
    f = fleet()
    try:
        before(f)
        with f.admit(tenant, write) as ticket:
            assert f._report()["pending"] == [] and f.busy["acme", 7, write] == 1
            if send:
                ticket.send(("docs", "1"))
            after(f)
            if answer is True:
                ticket.answered()
            elif answer:
                raise answer
        return None, f
    except Refused as e:
        return e.args[0], f
    except ValueError as e:
        return type(e).__name__, f
    finally:
        assert not +f.busy, f.busy


def lapse(f):
    f.session.over = True


def phase(name):
    return lambda f: f._enter({"tenant": "acme", "epoch": 8, "move": "m1", "phase": name, "placement": {"cluster": "a"}})


def written(f):
    return dict(f.journals.get("acme", {})), +f.unresolved


ref = ("docs", "1")
status, f = end()
assert status is None and written(f) == ({ref: 1}, {}), (status, written(f))
status, f = end(write=False)
assert status is None and written(f) == ({}, {}), (status, written(f))
# Fenced out: it is journaled, and not acknowledged.
status, f = end(after=lapse)
assert status == 504 and written(f) == ({ref: 1}, {}), (status, written(f))
# Not sent: nothing is left of it.
for status, f in (end(before=lapse), end(send=False, answer=Refused(501, "no")), end(before=phase("cutover")), end(tenant="ghost")):
    assert status in (503, 501, 404) and written(f) == ({}, {}), (status, written(f))
# A session that ends between admission and sending.
f = fleet()
try:
    with f.admit("acme", True) as ticket:
        lapse(f)
        ticket.send(ref)
    raise AssertionError("it was sent")
except Refused as e:
    assert e.args[0] == 503 and written(f) == ({}, {}) and not +f.busy, (e, written(f))
# Unknown: it is named until it has settled, and journaled then.
for how in (False, OSError("broken"), ValueError("half an answer")):
    status, f = end(answer=how)
    assert status == 504 and written(f)[1] == {"acme": 1}, (status, written(f))
    assert all(t.daemon for t in threading.enumerate() if t is not threading.main_thread())  # who leaves does not wait for it
    deadline = time.time() + 60
    while +f.unresolved and time.time() < deadline:
        time.sleep(0.01)
    assert written(f) == ({ref: 1}, {}), written(f)
assert end(write=False, answer=False)[0] == 502
# A step that was forgotten is an error.
assert end(send=False)[0] == "ValueError"
try:
    with fleet().admit("acme", True) as ticket:
        ticket.send()
    raise AssertionError("a write of nothing")
except ValueError:
    pass
# What is under way below the newest entry is pending; a read is an old read.
f = fleet()
with f.admit("acme", True) as ticket, f.admit("acme", False) as read:
    phase("draining")(f)
    assert f._report()["pending"] == ["acme"] == f._report()["old_reads"], f._report()
    ticket.send(ref), ticket.answered()
assert f._report()["pending"] == [] == f._report()["old_reads"] and f._report()["journals"] == {"acme": {"head": 1}}
# Leaving ends, whatever becomes of what is asked, and says what is left.
for left in (False, True):
    for answer in ({}, OSError("nobody is there"), ValueError("half an answer")):
        f, asked = fleet(), []

        def ask(method, what):
            asked.append((method, what))
            if isinstance(answer, Exception):
                raise answer

        f.session.ask = ask
        if left:
            f.unresolved["acme"] += 1
        with contextlib.redirect_stderr(io.StringIO()) as said:
            f.leave(patience=0.1)
        assert said.getvalue().count("leaving the fleet: ") == isinstance(answer, Exception), said.getvalue()
        assert f.session.over and asked == [("DELETE", "?clean=" + ("false" if left else "true"))], (left, answer, asked)
print("ok")
