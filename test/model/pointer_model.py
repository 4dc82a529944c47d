#!/usr/bin/env python3
"""Explicit-state model of what the launcher and the updater agree on: slots, tokens, ledger, ring, launcher, updater, resume, package
upgrade. Run it after a change of these rules, which are made here first: python3 test/model/pointer_model.py (a minute or two).
Explores every state reachable under any number of faults (kill of updater, launcher or agent; power cut; power cut inside a
slot write; read-only disk; one package upgrade to a sound or a broken floor) for each kind of new release N, then asks of each
state: with no further fault, where does it end? Good: one healthy agent, and (disk writable) ledger closed, no probation.
A second goal is asked of each kind of launcher and updater: a good release that is killed from outside at most twice in its trial
ends confirmed, since what went by signals from outside only is tried again.

Rules of deaths: forgotten at a new sequence; on trial an end of the agent's own doing is enough, of those by a signal from outside two
are; after a confirmation that this launcher saw two deaths of any kind are; else three. The updater's watch judges by the same rules
from the launcher's note of the last death, for the launcher may be an older one, which always waits for three.

`--mutate NAME` breaks one rule to see that the model notices (no-ring, no-anew, no-last, no-floor-first, no-keep, keep-old,
free-leave, blind-watch, stale-reason; of the second goal: one-kill, no-again). `--launcher before` and `--updater before` have the
rules of the releases before, in which only three deaths count. Prints a line per kind; exit 1 on a bad end.

States explored, all with a good end. No package upgrade: good 18,662, noexec 2,396, crash 12,974, deaf 7,164, late 17,586. One to a
sound package: good 162,044, noexec 34,528, crash 58,610, deaf 43,242, late 127,844. One to a broken package: good 65,382, noexec 9,572,
crash 29,462, deaf 17,770, late 55,440. No rule tells hang from crash, nor leaver from late: their states are the same, and they are not
walked twice. What is left out everywhere: a sequence above HIGHEST, that is more than five writes of the pointer in one history. The
second goal: 25; beside an older launcher 26, an older updater 11. A whole run takes 71 s of one processor. `--kinds` and `--floors`
choose rows, each a list with commas."""
import sys
from collections import namedtuple

N_KINDS = ["good", "noexec", "crash", "hang", "deaf", "late", "leaver"]   # leaver: once confirmed, ends at once with any code
FLOORS = ["none", "good", "broken"]                                        # what the package upgrade brings (version G above N)
ALIKE = {"hang": "crash", "leaver": "late"}                                # no rule tells them apart: the same states
TOK, CAP = 3, 3
MOST = 4_000_000                                                           # states of a row; a row with more is a failure
HIGHEST = 6                                                                # sequence that is looked at: five writes of the pointer
OPT = dict(zip(sys.argv[1::2], sys.argv[2::2]))
MUT = OPT.get("--mutate", "")
OLD_LAUNCHER, OLD_UPDATER = OPT.get("--launcher") == "before", OPT.get("--updater") == "before"
TRIES = 3                                                                  # of a version that went by signals from outside only

# slots: pair of (seq, active, previous, probation) or None (torn). refs: 'floor', 'O', 'N', None
# child: None or (version, seq, reason, agestamp) ; floor: 'F' before, 'G' after the package upgrade; seen: floor last seen
# deaths: of the launcher's memory, (sequence, ((version, how often), ...)); CAP: done with. fresh: this launcher saw the confirmation
# note: on disk, the last death of the version on trial: (sequence, "own" or "out"); out: deaths by a signal from outside that the
# updater at work saw; by: "out" while the trial that is undone went by such signals only; tries: trials that may follow, -1: not asked
S = namedtuple("S", "slots tok ledger launcher child pc deaths floor seen aside ro fresh note out by tries")

def ptr(s):
    v = [x for x in s.slots if x]
    return max(v, key=lambda x: x[0]) if v else None

def write(s, p):
    a, b = s.slots
    i = 0 if (a is None or (b is not None and a[0] < b[0])) else 1
    w, t = list(s.slots), list(s.slots); w[i], t[i] = p, None
    return s._replace(slots=tuple(w)), s._replace(slots=tuple(t))

def nextseq(s): return max([x[0] for x in s.slots if x] + [q for q, _ in s.tok] + [0]) + 1
def tokens(s, q): return dict(s.tok).get(q, 0)
def settok(s, q, n):
    d = dict(s.tok); d.pop(q, None)
    if n: d[q] = n
    return s._replace(tok=tuple(sorted(d.items())))
def res(s, ref): return s.floor if ref == "floor" else ref

def ring(s):
    p = ptr(s)
    act, prev = (p[1], p[2]) if p else ("floor", None)
    r = [act, prev, "floor", s.aside]
    if s.floor == "G" and "no-floor-first" != MUT: r = ["floor"] + r   # G is newer than N: floor first
    out = []
    for x in r:
        v = res(s, x) if x else None
        if v and v not in out: out.append(v)
    return out

def runs(v, k): return not (v == "N" and k[0] == "noexec")
def dies(v, k, prob):
    if v == "G": return k[1] == "broken"
    if v != "N": return False
    q = k[0]
    return q in ("crash", "hang") or (q in ("late", "leaver") and not prob)
def healthy(v, k, prob=False): return runs(v, k) and not dies(v, k, prob)
def serves(v, k): return healthy(v, k) and not (v == "N" and k[0] == "deaf")

def died(s):
    p = ptr(s)
    return dict(s.deaths[1]) if s.deaths and p and s.deaths[0] == p[0] else {}   # a new sequence forgets them

def death(s, v, own):
    p = ptr(s); q = p[0] if p else 0
    d = dict(s.deaths[1]) if s.deaths and s.deaths[0] == q else {}
    n = d.get(v, 0) + 1
    trial = bool(p and p[3] and v == res(s, p[1]))
    if not OLD_LAUNCHER:
        if trial and (own or n >= (1 if MUT == "one-kill" else 2)): n = CAP
        if not trial and s.fresh and p and v == res(s, p[1]) and n >= 2: n = CAP
    d[v] = min(CAP, n)
    s = s._replace(deaths=(q, tuple(sorted(d.items()))))
    if not trial or OLD_UPDATER: return s
    if s.pc == "watch" and not own: s = s._replace(out=min(2, s.out + 1))
    return s._replace(note=(q, "own" if own else "out"))

def start(s, k):
    p = ptr(s); prob = bool(p and p[3]); d = died(s)
    last = None
    for again in (False, True):
        if again: s = s._replace(deaths=()); d = {}           # after the last the ring begins anew
        for v in ring(s):
            if d.get(v, 0) >= CAP and MUT != "no-ring": continue
            if prob and v == p[1]:
                n = tokens(s, p[0])
                if not n or s.ro:
                    last = v; continue                        # without a token it stands last
                s = settok(s, p[0], n - 1)
            if not runs(v, k): return death(s, v, True)
            return s._replace(child=(v, p[0] if p else 0))
        if MUT == "no-anew": return s
        if last and d.get(last, 0) < CAP and MUT != "no-last":
            return s._replace(child=(last, p[0])) if runs(last, k) else death(s, last, True)
    return s

def end_child(s, orderly, own):
    v = s.child[0]; p = ptr(s)
    t = s._replace(child=None)
    taken = p and not p[3] and v == res(s, p[1])   # the new pointer's own target: taken over into its sequence
    if orderly or (p and p[0] != s.child[1] and not taken): return t
    return death(t, v, own)

def moves(s, k):
    p = ptr(s); prob = bool(p and p[3])
    if not s.launcher: return [("launcher", s._replace(launcher=True, child=None, deaths=(), fresh=False))]
    if s.child is None:
        return [("start", start(s, k))] + (updater(s, k) if s.pc == "watch" and not s.ro and s.launcher and (s.note or s.out) else [])
    v = s.child[0]
    if dies(v, k, prob and v == p[1]): 
        if MUT == "free-leave" and k[0] == "leaver" and v == "N": return [("leave", end_child(s, True, True))]
        return [("die", end_child(s, False, True))]
    out = []
    if s.pc is None:
        if prob: out.append(("resume", s._replace(pc="resume", ledger=1)))
        elif healthy(v, k) and not s.ro:
            floorchg = s.floor != s.seen
            fallen = p is not None and v != res(s, p[1]) and (MUT != "stale-reason")
            if s.ledger or floorchg or fallen: out.append(("resume", s._replace(pc="resume", ledger=1)))
    elif not s.ro: out += updater(s, k)
    return out

def updater(s, k):
    p = ptr(s); pc = s.pc
    go = lambda t, x: t._replace(pc=x)
    def put(ref_act, ref_prev, prob, nxt):
        w, _ = write(s, (nextseq(s), ref_act, ref_prev, prob)); return go(w, nxt)
    if pc == "resume":
        if p and p[3]: return [("watch", go(s, "watch"))]
        if p is None: return [("rebuild", put("floor", None, False, "finish"))]
        v = s.child[0] if s.child else None
        if v and v != res(s, p[1]) and s.child[1] != p[0] and MUT != "keep-old": return [("ask old to leave", s._replace(child=None))]
        if s.floor != s.seen:
            # floor changed: floor first is written down once it has shown that it runs
            if v == s.floor: return [("floor", put("floor", p[1] if p[1] != "floor" else p[2], False, "seen"))]
            if v: return [("keep overlay", go(s._replace(aside=None), "seen2"))]
            return []
        if v and v != res(s, p[1]) and healthy(v, k):
            ref = "floor" if v == s.floor else v
            return [("in line", put(ref, "floor" if ref != "floor" else None, False, "finish"))]
        return [("finish", go(s, "finish"))]
    if pc == "seen": return [("seen", go(s._replace(seen=s.floor), "finish"))]
    if pc == "seen2":  # broken new floor: overlay stays active; floor remembered so that it is not preferred
        return [("seen2", go(s._replace(seen=s.floor), "finish"))]
    if pc == "tokens":
        if p is None: return [("rebuild", put("floor", None, False, "finish"))]
        return [("tokens", go(settok(s, nextseq(s), TOK), "switch"))]
    if pc == "switch":
        if p is None: return [("finish", go(s, "finish"))]
        q = max([x for x, _ in s.tok], default=0)
        w, _ = write(s, (q, "N", p[1], True)); return [("switch", go(w._replace(fresh=False, out=0, by=""), "watch"))]
    if pc == "watch":
        if p is None or not p[3]: return [("settled", go(s, "finish"))]
        noted = s.note if s.note and s.note[0] == p[0] else None
        by = "out" if noted and noted[1] == "out" else ""
        if noted and noted[1] == "own" or s.out >= 2: return [("undo: died", go(s._replace(by=by), "undo"))]
        if s.child is None: return []
        v, q = s.child
        if MUT != "blind-watch" and q != p[0]: return [("ask again", s._replace(child=None))]
        if MUT == "blind-watch" or v == p[1]:
            if serves(v, k) or (v == "N" and k[0] in ("late", "leaver")): return [("confirm", put(p[1], p[2], False, "finish")._replace(fresh=s.launcher))]
        return [("undo", go(s._replace(by=by), "undo"))]
    if pc == "undo": return [("untoken", go(settok(s, p[0], 0), "unask"))] if p and p[3] else [("finish", go(s, "finish"))]
    if pc == "unask": return [("unask", go(s._replace(child=None) if s.child and s.child[0] == "N" else s, "back"))]
    if pc == "back":
        if not (p and p[3]): return [("finish", go(s, "finish"))]
        return [("back", put(p[2], "floor", False, "finish"))]
    if pc == "finish":
        if p and p[3]: return [("watch", go(s, "watch"))]
        if s.by == "out" and s.tries > 0 and MUT != "no-again":   # not on the skip list: it is asked for again
            return [("again", s._replace(pc="tokens", tok=(), out=0, by="", note=None, tries=s.tries - 1))]
        return [("done", s._replace(pc=None, ledger=0, tok=(), out=0, by="", note=None))]
    raise SystemExit(pc)

def faults(s, k):
    out = []
    if s.pc: out.append(("kill updater", s._replace(pc=None, out=0, by="")))
    if s.launcher: out.append(("kill launcher", s._replace(launcher=False)))
    if s.launcher: out.append(("stop service", s._replace(launcher=False, child=None)))   # ends that were asked for count for nothing
    if s.fresh: out.append(("half an hour", s._replace(fresh=False)))
    if s.child and s.launcher: out.append(("kill agent", end_child(s, False, False)))
    p = ptr(s)
    cut = lambda t: t._replace(launcher=False, child=None, pc=None, deaths=(), fresh=False, out=0, by="")
    out.append(("power cut", cut(s)))
    if s.pc and not s.ro:
        for name, t in (updater(s, k) if s.child or s.pc not in ("watch",) else []):
            if t.slots != s.slots:
                i = 0 if t.slots[0] != s.slots[0] else 1
                torn = list(s.slots); torn[i] = None
                out.append(("cut in write", cut(s._replace(slots=tuple(torn)))))
    out.append(("disk", s._replace(ro=not s.ro)))
    if k[1] != "none" and s.floor == "F":
        t = s
        if not s.ro and s.pc is None and p and not p[3] and MUT != "no-keep":   # pre-install: the old version keeps itself in the store
            act, prev = p[1], p[2]
            keep = (nextseq(s), "F" if act == "floor" else act, prev if act == "floor" and prev else "F", False)
            if act == "floor": keep = (nextseq(s), "floor", "F", False)
            t, _ = write(s, keep)
        out.append(("package", t._replace(floor="G", launcher=False, child=None)))
    return out

def settle(s, k, ends):
    """Where a state ends without a further fault. ends has what is known already: all states on the way end alike."""
    way = []
    for _ in range(2000):
        if s in ends:
            end = ends[s]; break
        way.append(s)
        m = moves(s, k)
        if not m or m[0][1] == s:
            end = (s, True); break
        s = m[0][1]
    else:
        end = (s, False)
    for w in way: ends[w] = end
    return end

def good_end(e, stable, k, ro):
    p = ptr(e)
    if not any(serves(v, k) for v in ring(e)): return True   # nothing sound is left on the machine
    if not stable or e.child is None: return False
    if not runs(e.child[0], k) or dies(e.child[0], k, bool(p and p[3] and e.child[0] == p[1])): return False
    if ro: return True
    return e.ledger == 0 and e.pc is None and not (p and p[3]) and serves(e.child[0], k)

def begin(tries=-1):
    return S(slots=((1, "floor", None, False), None), tok=(), ledger=1, launcher=True, child=("F", 1), pc="tokens", deaths=(), floor="F",
             seen="F", aside=None, ro=False, fresh=False, note=None, out=0, by="", tries=tries)

def second_goal():
    """Every order of at most two kills in trials of a good release (one, beside an updater that tries nothing again by itself); True
    when each ends confirmed."""
    k, good, most = ("good", "none"), True, 1 if OLD_UPDATER else 2
    todo, parent = [(begin(TRIES - 1), 0)], {}
    parent[todo[0]] = None
    while todo:
        at = todo.pop(); s, kills = at
        next = [(name, (t, kills)) for name, t in moves(s, k)]
        p = ptr(s)
        if kills < most and s.launcher and p[3] and s.child and s.child[0] == "N":
            next.append(("kill agent", (end_child(s, False, False), kills + 1)))
        next = [(name, t) for name, t in next if t != at]
        confirmed = p[1] == "N" and not p[3] and s.child and s.child[0] == "N" and not s.ledger
        if not next and not (confirmed and (kills > 1 or s.tries == TRIES - 1)):   # after one kill, in that very trial
            good = False
            path, w = [], at
            while parent[w]: path.append(parent[w][1]); w = parent[w][0]
            print("    not confirmed:", " > ".join(reversed(path)))
        for name, t in next:
            if t not in parent: parent[t] = (at, name); todo.append(t)
    print(f"a good release killed at most {most} times {len(parent):7} states", "ok" if good else "BAD", flush=True)
    return good

def main():
    bad = 0 if second_goal() else 1
    for n in OPT.get("--kinds", ",".join(N_KINDS)).split(","):
        for f in OPT.get("--floors", ",".join(FLOORS)).split(","):
            if n in ALIKE and MUT != "free-leave":
                print(f"N {n:7} floor {f:7} as {ALIKE[n]}", flush=True); continue
            k = (n, f)
            s0 = begin()
            todo, parent = [s0], {s0: None}
            worst, ends = None, {}
            while todo and len(parent) < MOST:
                s = todo.pop()
                for name, t in moves(s, k) + faults(s, k):
                    if max([x[0] for x in t.slots if x], default=0) > HIGHEST: continue
                    if t not in parent: parent[t] = (s, name); todo.append(t)
            for s in parent:
                e, stable = settle(s, k, ends)
                if not good_end(e, stable, k, s.ro): worst = (s, e, stable); break
            if todo: bad = 1
            cut = f"CUT at {MOST}, {len(todo)} left" if todo else "all"
            print(f"N {n:7} floor {f:7} {len(parent):7} states", cut, "ok" if not worst else "BAD", flush=True)
            if worst:
                bad = 1; s = worst[0]; path = []
                while parent[s]: path.append(parent[s][1]); s = parent[s][0]
                print("   ", " > ".join(reversed(path))); print("    from", worst[0]); print("    ends", worst[1], "stable" if worst[2] else "never settles")
    return bad

sys.exit(main())
