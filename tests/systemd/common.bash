# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# What the tests in the booted root begin with: `load common` in `setup`, then `fresh`.

load ../helpers/common

export HANDLER=/usr/sbin/tincan-handler TINCAN=/usr/bin/tincan
export LOAD=$TESTS/systemd/load.py EXAMPLES=/usr/share/doc/tincan/examples/systemd
CONFIGURED=/etc/systemd/system

# load_tool: in the foreground; in the background it is `start python3 "$LOAD"`.
load_tool() {
    python3 "$LOAD" "$@"
}

# fresh: the units as installed, the socket just started, and what the journal says from here on.
fresh() {
    is_left tincan || restore
    leave -
    ACCEPTED=$(shown tincan.socket NAccepted) REFUSED=$(shown tincan.socket NRefused)
    begin_journal
}

begin_journal() {
    journalctl --sync
    BEGAN=$EPOCHREALTIME
}

# The socket is stopped meanwhile: systemd complains where addresses change beneath it.
restore() {
    leave -
    stop_started
    systemctl stop tincan.socket
    remove_drop_ins "$CONFIGURED"/tincan.socket.d "$CONFIGURED"/tincan@.service.d
    systemctl reset-failed
    wait_until 30 no_instances
    systemctl start tincan.socket
    leave tincan
}

# leave SERVER: the units are as the tests of the server want them, or of none; is_left SERVER: they are,
# so that the next test need not see to it again.
leave() {
    echo "$1" >"$BATS_RUN_TMPDIR/left"
}

is_left() {
    [ "$(cat "$BATS_RUN_TMPDIR/left" 2>/dev/null)" = "$1" ]
}

# remove_drop_ins FOLDER...: systemd reads its units again where there were any, which takes it a while.
remove_drop_ins() {
    local folder found=''
    for folder; do
        [ ! -e "$folder" ] || found=1
    done
    rm -rf "$@"
    [ -z "$found" ] || systemctl daemon-reload
}

# A unit that is started often in a short time is not started again, unless its count is reset.
restart_socket() {
    systemctl reset-failed
    systemctl restart tincan.socket
}

# journal OPTION...: what was logged since `begin_journal`.
journal() {
    journalctl --sync
    journalctl --no-pager -q --since="@$BEGAN" "$@"
}

# outcomes: the handlers' own lines.
outcomes() {
    journal -o cat -t tincan-handler
}

# logged COUNT: so many of them are there. A reply comes before its line does.
logged() {
    [ "$(outcomes | wc -l)" -ge "$1" ]
}

# drop_in UNIT [FILE]: adds a drop-in for the unit, from the file or standard input.
drop_in() {
    [ "$1" != tincan.socket ] || systemctl stop tincan.socket
    mkdir -p "$CONFIGURED/$1.d"
    cat "${2:--}" >"$CONFIGURED/$1.d/$(basename "${2:-test}" .conf).conf"
    systemctl daemon-reload
    if [ "$1" = tincan.socket ]; then
        restart_socket
    fi
}

# unit_of FILE: the unit that an example says it is for.
unit_of() {
    sed -n 's|^# To /etc/systemd/system/\(.*\)\.d/$|\1|p' "$1"
}

# exposure: what systemd-analyze security says of the service, with its drop-ins, in tenths.
exposure() {
    systemd-analyze security --no-pager "$@" |
        sed -n 's/.*Overall exposure level for .*: \([0-9]*\)\.\([0-9]\).*/\1\2/p' | sed 's/^0//'
}

# with_options OPTION...: the handler gets these as well.
with_options() {
    local command
    command=$(sed -n 's/^ExecStart=//p' "/usr/lib/systemd/system/tincan@.service")
    printf '[Service]\nExecStart=\nExecStart=%s %s\n' "$command" "$*" | drop_in tincan@.service
}

no_instances() {
    [ -z "$(systemctl list-units --all --plain --no-legend 'tincan@*')" ]
}

# accepted, refused: connections since `fresh`, as systemd counts them; a restart does not.
accepted() {
    echo $(($(shown tincan.socket NAccepted) - ACCEPTED))
}

refused() {
    echo $(($(shown tincan.socket NRefused) - REFUSED))
}

# refused_so_far COUNT: so many have been.
refused_so_far() {
    [ "$(refused)" -eq "$1" ]
}

# connected COUNT: so many are connected now.
connected() {
    [ "$(shown tincan.socket NConnections)" -eq "$1" ]
}

# hold COUNT [SOURCE]: opens so many connections and keeps them, silent, until `stop_started`.
hold() {
    start python3 "$LOAD" hold --count="$1" --from="${2:-127.0.0.1}" 127.0.0.1:4040 \
        >"$BATS_TEST_TMPDIR/held.${2:-1}"
    wait_until 60 [ -s "$BATS_TEST_TMPDIR/held.${2:-1}" ]
}

# shown UNIT PROPERTY
shown() {
    systemctl show --value -p "$2" "$1"
}

# instance_failures: how often an instance has failed. Its unit is gone as soon as it has, but not
# without a word to the journal (a message of this kind, from systemd) and to OnFailure=.
instance_failures() {
    journal -o cat MESSAGE_ID=d9b373ed55a64feb8242e02dbe79a49c | grep -c "^tincan@" || true
}

# assert_all_well: the system is as it was before whatever was done to it.
assert_all_well() {
    wait_until 60 no_instances
    run -0 systemctl is-active tincan.socket
    run -0 systemctl list-units --failed --plain --no-legend
    assert_output ''
    run -0 systemctl is-system-running
    assert_output running
    assert_equal "$(instance_failures)" 0
    run -0 "$TINCAN" -m "all is well" 127.0.0.1
    assert_output "all is well"
}
