# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# What the tests of tincand.socket and its service begin with: `load tincand` in `setup`, then `begin`;
# and `finish` in `teardown`.

load "${BASH_SOURCE[0]%/*}/common"

EXCHANGE=MESSAGE_ID=a811271d43ff4781812039b4064c1690
INSTANCES=(tincand@1.socket tincand@2.socket)

# begin: the units as installed, the socket just started and the service not; and what the journal
# says from here on.
begin() {
    is_left tincand || finish
    leave -
    systemctl start tincand.socket
    begin_journal
}

finish() {
    leave -
    stop_started
    systemctl stop tincan.socket tincand.socket "${INSTANCES[@]}"
    remove_drop_ins "$CONFIGURED"/tincan.socket.d "$CONFIGURED"/tincand{,@}.{socket,service}.d
    systemctl reset-failed
    leave tincand
}

# configure UNIT [FILE]: adds a drop-in for the unit, from the file or standard input; the service is
# not running then.
configure() {
    systemctl stop tincand.socket
    mkdir -p "$CONFIGURED/$1.d"
    cat "${2:--}" >"$CONFIGURED/$1.d/$(basename "${2:-test}" .conf).conf"
    systemctl daemon-reload
    systemctl reset-failed
    systemctl start tincand.socket
}

# serve_with OPTION...: with these options and no others.
serve_with() {
    printf '[Service]\nExecStart=\nExecStart=/usr/sbin/tincand %s\n' "$*" |
        configure tincand.service
}

# records FIELD=VALUE...: of exchanges, whole, one field on a line.
records() {
    journal -o export "$EXCHANGE" "$@"
}

# recorded COUNT FIELD=VALUE...: so many of them are there. A reply comes before its record does.
recorded() {
    [ "$(records "${@:2}" | grep -c '^TINCAN_RESULT=')" -ge "$1" ]
}

# status_is REGEX: what the service says of itself, which it does once a second.
status_is() {
    [[ $(shown tincand.service StatusText) =~ $1 ]]
}

# connections COUNT: so many are open, and none waits to be.
connections() {
    [ "$(ss -Htn state established 'sport = :4040' | wc -l)" -eq "$1" ] && queued 0
}

is_in_state() {
    [ "$(shown "$1" ActiveState)" = "$2" ]
}

# queued COUNT: so many wait to be accepted.
queued() {
    [ "$(ss -Hltn 'sport = :4040' | awk '{ sum += $2 } END { print sum + 0 }')" -eq "$1" ]
}

# said UNIT TEXT: in the journal.
said() {
    journal -o cat -u "$1" | grep -qF -- "$2"
}

# assert_serving: and the system is as it was before whatever was done to it.
assert_serving() {
    run -0 "$TINCAN" -m "all is well" 127.0.0.1
    assert_output "all is well"
    run -0 systemctl is-active tincand.socket tincand.service
    run -0 systemctl list-units --failed --plain --no-legend
    assert_output ''
    run -0 systemctl is-system-running
    assert_output running
}
