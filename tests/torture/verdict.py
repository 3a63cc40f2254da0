# SPDX-License-Identifier: MIT
"""What a run was: good, or a failure of the program."""

import os
import re
import signal

import calls

GOOD = (
    "without fault",  # the call was not made, or could not be cut
    "as usual",  # as if nothing had failed
    "timed out",  # the program gave up at its deadline, and said so
    "errors",  # it gave up for another reason, and said so
    "killed as asked",  # by the signal that it was sent
    "never loaded",  # it could not be loaded, or its C library not begin
)
FAILURES = (
    "lies",  # success was reported that was none, or a failure that was none; or a refused message
             # got a reply
    "leaks",  # the peer got bytes that are no part of its reply
    "crashes",  # a signal ended it that was not sent
    "hangs",  # it did not end in time, or left a connection open
    "lost",  # an exchange failed that could have gone on
    "silent",  # it gave up without a word, although it had its log
    "not run",  # torture itself failed
)
MAY_PASS = FAILURES[3:]  # a program that is only slow could have made them

STATUS_ALTERED = 3  # of tincan(1)

# The handler's results, and the exit statuses that go with them.
STATUSES = {b"echoed": {os.EX_OK}, b"eof": {os.EX_DATAERR}, b"too-long": {os.EX_DATAERR},
            b"invalid-utf8": {os.EX_DATAERR}, b"timeout": {os.EX_IOERR}, b"gone": {os.EX_IOERR},
            b"error": {os.EX_OSERR, os.EX_IOERR, os.EX_USAGE}}


def exit_status(run):
    """Returns it, or None if a signal ended the program."""
    return os.WEXITSTATUS(run.status) if os.WIFEXITED(run.status) else None


def is_usual(run):
    """Returns whether the run was what it is without a fault."""
    return (exit_status(run) == run.scenario.status
            and all(peer.is_content() for peer in run.peers))


# --- what each program promises: functions that return the verdict on one that exited, as far as
# that goes; "timed out" or "errors" if it was kept, also in a run that was as usual ---

def judge_handler(run):
    peer, status = run.peers[0], exit_status(run)
    whole = peer.expected() > 0 and peer.got_all()
    logged = re.search(rb" result=([a-z0-9-]+) ", run.log)
    result = logged[1] if logged else None

    if (status == os.EX_OK or result == b"echoed") and not whole:
        return "lies"
    if result and status not in STATUSES[result]:
        return "lies"
    if whole and status != os.EX_OK and result != b"gone":
        return "lies"
    if not run.log and not run.hits.log:
        return "silent"
    return "timed out" if result == b"timeout" else "errors"


def cuts_report(run):
    """Returns whether writing a report of probes went wrong. The C library does that, and can't do
    it again; EINTR is taken for a user who does not want to wait."""
    return (run.scenario.probe and run.fault.kind == "error"
            and calls.find(run.fault.number).name == "write")


def did_all(run, printed):
    """Returns whether all messages were echoed, and standard output has all that belongs there;
    where nobody seems to read it, the client ends with the status so far (tincan(1))."""
    return (all(peer.script.answer == "echo" and peer.got_all() for peer in run.peers)
            and (run.scenario.probe or run.output == printed or run.fault.error == "EPIPE"))


def printed_lie(run, printed):
    """Returns whether standard output has what it should not have."""
    if not run.scenario.probe:
        intact = run.peers[0].script.answer == "echo"
        return not printed.startswith(bytes(run.output)) or (run.output and not intact)
    echoes = re.search(rb" sent, (\d+)", run.output)
    return echoes and int(echoes[1]) > sum(peer.got_all() for peer in run.peers)


def judge_client(run):
    peer, status = run.peers[0], exit_status(run)
    end = b"" if "--whole" in run.scenario.arguments else b"\n"
    printed = peer.message[:-1] + end

    if (status == os.EX_OK and not did_all(run, printed)) or printed_lie(run, printed):
        return "lies"
    if status == STATUS_ALTERED and peer.script.answer == "echo":
        return "lies"
    if b"the server was not asked" in run.log and peer.received:
        return "lies"
    said = run.log or (run.scenario.probe and run.output)
    if status != os.EX_OK and not said and not run.hits.log and not cuts_report(run):
        return "silent"
    return "timed out" if b" within " in run.log else "errors"


def is_logged_echoed(run, peer):
    preview = re.escape(peer.script.text[:6])
    return re.search(rb" result=echoed .* message=\"" + preview, run.log)


def explains(run):
    """Returns whether the log has a line besides those of a server that does well."""
    return any(b"listening on " not in line and b" result=" not in line
               for line in run.log.splitlines())


def may_be_unserved(run, number):
    """Returns whether connection `number` may still be in the queue: the server had to end, or
    could not accept it for as long as was waited."""
    return number >= run.accepted and (exit_status(run) != os.EX_OK or run.fault.lasting
                                       or run.fault.kind == "signal")


def judge_tincand(run):
    for peer in run.peers:
        if is_logged_echoed(run, peer) and not peer.got_all() and peer.script.then != "leave":
            return "lies"
    if not run.hits.log:
        silent = (run.log.count(b" result=") < run.accepted if exit_status(run) == os.EX_OK
                  else not explains(run))
        if silent:
            return "silent"
    # A call that failed may cost the connection that it was made for; one for memory, any.
    lost = sum(not peer.is_content() and number not in run.hits.on
               and not may_be_unserved(run, number) for number, peer in enumerate(run.peers))
    return "lost" if lost > run.hits.for_any else "errors"


JUDGES = {"handler": judge_handler, "client": judge_client, "tincand": judge_tincand}


# --- what no program may do ---

def was_sent(run, number):
    """Returns whether the signal that ended the program was sent to it. tincand has to end well by
    SIGTERM, unless it could not get ready for that."""
    at_end = run.terminated and number == signal.SIGTERM
    asked = run.hits.all > 0 and number == run.fault.signal
    unmasked = calls.find(run.fault.number).name == "rt_sigprocmask" and run.fault.kind == "error"
    ready = run.kind == "tincand" and number == signal.SIGTERM and run.accepted > 0 and not unmasked
    return (at_end or asked) and not ready


def judge_end(run):
    """Returns the verdict on how the program ended, or None if it exited."""
    if run.hung:
        return "hangs"
    loaded = run.in_main or not run.hits.loading
    if os.WIFEXITED(run.status):
        return None if loaded else "never loaded"
    if was_sent(run, os.WTERMSIG(run.status)):
        return "killed as asked"
    return "never loaded" if run.hits.loading else "crashes"


def judge_bytes(run):
    """Returns the verdict on what the peers got, or None if that was right."""
    for peer in run.peers:
        if not peer.was_right():
            refused = not peer.expected() and peer.received[:1] == peer.message[:1]
            return "lies" if refused else "leaks"
    return None


def _judge(run):
    end, wrong = judge_end(run), judge_bytes(run)
    if end == "crashes" or (end and not wrong):
        return end
    verdict = wrong or JUDGES[run.kind](run)
    if verdict in FAILURES:
        return verdict
    if is_usual(run):
        return "as usual" if run.hits.all or run.fault.kind == "nothing" else "without fault"
    passed = run.hits.passed and not run.hits.bounded
    harmless = run.fault.is_harmless(passed, run.kind) and not run.hits.loading
    return "lost" if harmless and not cuts_report(run) else verdict


def judge(run):
    """Returns the verdict on the run, one of GOOD or FAILURES, and what was seen, in one line."""
    status = exit_status(run)
    seen = [f"signal {os.WTERMSIG(run.status)}" if status is None else f"exit {status}"]
    seen += [f"{len(peer.received)} of {peer.expected()} bytes" for peer in run.peers]
    log = run.log.decode(errors="replace").strip().replace("\n", "|")
    return _judge(run), f"{', '.join(seen)}; {log}"
