# SPDX-License-Identifier: MIT
# The lines of the log are logfmt: readers that know nothing of each other (helpers/logfmt.py) get
# the same out of them, whatever peers send and are called.

setup() {
    load helpers/daemon
    need lnav
}

# Of what the scripts below are made.
HOSTILE='
import random, re, subprocess
import logfmt
from cases import FORGERIES, ODD_TEXTS

random.seed(5)
TEXTS = [text.encode() for text in (*FORGERIES.values(), *ODD_TEXTS.values(), "", "=", " ", "a=b c")]
TEXTS += [bytes(range(first or 1, first + 16)) for first in range(0, 256, 16)]
TEXTS += [bytes(random.choices(b"\"\\\\=x \n\x1b\xc3\xa9", k=random.randrange(100))) for _ in range(100)]

def as_sent(value):
    """The bytes that a value which was read stands for."""
    return re.sub(rb"\\x([0-9a-f]{2})", lambda escape: bytes([int(escape[1], 16)]), value.encode())

def read_alike(lines):
    """What all readers get out of the lines."""
    read = logfmt.read_strictly(lines)
    by_lnav = logfmt.read_with_lnav(lines)
    assert len(by_lnav) == len(lines), f"lnav read {len(by_lnav)} of {len(lines)} lines"
    for line, pairs, others in zip(lines, read, by_lnav):
        assert [pair for pair in pairs if pair[1]] == others, f"{line!r}: {pairs} is to lnav {others}"
    if logfmt.have_go():
        assert logfmt.read_with_go(lines) == read
    return [dict(pairs) for pairs in read]

def check_message(fields, sent):
    """The message in the log is its first 64 bytes, as far as they were accepted."""
    accepted = int(fields["bytes"])
    shown = fields["message"].removesuffix("..." if accepted > 64 else "")
    assert as_sent(shown) == sent[:min(accepted, 64)], f"{fields} of {sent!r}"
    assert all(" " <= char <= "~" for value in fields.values() for char in value), fields
'

# bats test_tags=long
@test "log: readers of logfmt read the same in the handler's lines, whatever the peer sends and is called" {
    SCRIPT_SECONDS=600 script <<SCRIPT
$HOSTILE
names = [text for text in TEXTS if text and b"\0" not in text and len(text) < 90]
sent = [(random.choice(names), text) for text in TEXTS] + [(name, b"x") for name in names]
lines = b""
for name, text in sent:
    lines += subprocess.run([os.environ["HANDLER"]], input=text + b"\0", stdout=subprocess.DEVNULL,
                            stderr=subprocess.PIPE, env={b"REMOTE_HOST": name}).stderr
lines = lines.split(b"\n")[:-1]
for (name, text), fields in zip(sent, read_alike(lines), strict=True):
    assert name.startswith(as_sent(fields["peer"])) and fields["peer"], f"{fields} of {name!r}"
    check_message(fields, text)
SCRIPT
}

@test "log: readers of logfmt read the same in tincand's lines, whatever the peer sends" {
    SCRIPT_SECONDS=600 script <<SCRIPT
$HOSTILE
for address in [f"127.0.0.1:{free_port()}", f"unix:{TMPDIR}/socket"]:
    with Server(f"--listen={address}") as server:
        for text in TEXTS:
            server.exchange(text + b"\0")
        server.until_line("peer=.*", len(TEXTS))
        lines = server.log.since(0)
    records = [fields for fields in read_alike(lines) if "peer" in fields]
    for text, fields in zip(TEXTS, records, strict=True):
        check_message(fields, text)
        assert re.fullmatch(r"127\.0\.0\.1:\d+|unix:uid=\d+,pid=\d+", fields["peer"])
SCRIPT
}

@test "log: the strict reader refuses what is not logfmt" {
    script <<'SCRIPT'
import logfmt
for line in (b'a=b=c', b'a="\\x41"', b'a="b', b'a="b"c', b'=b', b'"a"', b'a="\x1b"', b'a=b"c'):
    try:
        raise AssertionError(f"{line!r} is {logfmt.read_strictly([line])}")
    except logfmt.Refused:
        pass
assert logfmt.read_strictly([b'a="b\\\\x41 \\"" c d=e'])[0] == [("a", 'b\\x41 "'), ("c", ""), ("d", "e")]
SCRIPT
}
