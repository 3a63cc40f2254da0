# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# The table of cases through the installed units, in place of helpers/launchers: a socket and its
# service for each server of the table, as installed but for the port, the options, and one thing:
# what is logged at `debug` has to be seen. With that, systemd logs between setting up its filter of
# system calls and starting the handler, with calls that are none of the handler's.
#
# There are two files of it: `systemd`, with a process per connection, and `tincand`, with one for all.

PORTS=(4041 4042 4043)
SERVERS=(patient impatient misled)
UNITS=(tincan-patient.socket tincan-impatient.socket tincan-misled.socket)

# make_server_systemd SERVER PORT OPTIONS: copies of the units, under the server's name.
make_server_systemd() {
    sed "s|^ListenStream=.*|ListenStream=127.0.0.1:$2|" /usr/lib/systemd/system/tincan.socket \
        >"/run/systemd/system/tincan-$1.socket"
    sed "s|^\(ExecStart=.*\)|\1 $3|; \$a LogLevelMax=debug\nSystemCallErrorNumber=EPERM" \
        /usr/lib/systemd/system/tincan@.service >"/run/systemd/system/tincan-$1@.service"
}

make_server_tincand() {
    sed "s|^ListenStream=.*|ListenStream=127.0.0.1:$2|; s|^Conflicts=.*||
        s|^Service=.*|Service=tincan-$1.service|" \
        /usr/lib/systemd/system/tincand.socket >"/run/systemd/system/tincan-$1.socket"
    sed "s|^\(ExecStart=.*\)|\1 $3|; s|^LogLevelMax=.*|LogLevelMax=debug|
        s|tincand\.socket|tincan-$1.socket|" \
        /usr/lib/systemd/system/tincand.service >"/run/systemd/system/tincan-$1.service"
}

options_of() {
    python3 "$TESTS/helpers/cases.py" options "$1" | tr '\n' ' '
}

# start_ring systemd|tincand
start_ring() {
    local index program=tincan-handler
    [ "$1" = systemd ] || program=tincand
    mkdir -p /run/systemd/system
    export RING=$BATS_FILE_TMPDIR RING_AT='' RING_PROBLEM=''
    for index in "${!SERVERS[@]}"; do
        "make_server_$1" "${SERVERS[index]}" "${PORTS[index]}" "$(options_of "${SERVERS[index]}")"
        RING_AT+=" --server=${SERVERS[index]}=tcp:127.0.0.1:${PORTS[index]}"
    done
    systemctl daemon-reload
    systemctl start "${UNITS[@]}"
    # What the journal passes on to a syslog daemon, it passes on at once.
    : >"$RING/log"
    start python3 "$TESTS/helpers/syslog_sink.py" /run/systemd/journal/syslog \
        >(sed -un "s/^<[0-9]*>.* $program\[[0-9]*\]: //p" >>"$RING/log")
    wait_until 20 [ -S /run/systemd/journal/syslog ]
}

stop_ring() {
    stop_started
    rm -f /run/systemd/journal/syslog
    systemctl stop "${UNITS[@]}"
    # The one that is misled has failed, if it is to serve all.
    systemctl reset-failed
    rm -rf /run/systemd/system/tincan-*
    systemctl daemon-reload
}

# play OPTION... GROUP...: plays groups of the table.
play() {
    # shellcheck disable=SC2086 # a list of options without spaces
    python3 "$TESTS/helpers/cases.py" play --handover=tcp --log="$RING/log" $RING_AT "$@"
}

play_misled() {
    play misled
}

repetitions() {
    echo 5
}
