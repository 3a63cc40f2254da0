# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# The table of cases through the installed units, in place of helpers/launchers: a socket and its
# service for each server of the table, as installed but for the port, the options, and one thing:
# what is logged at `debug` has to be seen. With that, systemd logs between setting up its filter of
# system calls and starting the handler, with calls that are none of the handler's.

PORTS=(4041 4042 4043)
SERVERS=(patient impatient misled)
UNITS=(tincan-patient.socket tincan-impatient.socket tincan-misled.socket)

# make_server SERVER PORT: copies of the units, under the server's name.
make_server() {
    local units=/run/systemd/system options
    options=$(python3 "$TESTS/helpers/cases.py" options "$1" | tr '\n' ' ')
    mkdir -p "$units"
    sed "s|^ListenStream=.*|ListenStream=127.0.0.1:$2|" /usr/lib/systemd/system/tincan.socket \
        >"$units/tincan-$1.socket"
    sed "s|^\(ExecStart=.*\)|\1 $options|; \$a LogLevelMax=debug\nSystemCallErrorNumber=EPERM" \
        /usr/lib/systemd/system/tincan@.service >"$units/tincan-$1@.service"
}

start_ring() {
    local index
    export RING=$BATS_FILE_TMPDIR RING_AT='' RING_PROBLEM=''
    for index in "${!SERVERS[@]}"; do
        make_server "${SERVERS[index]}" "${PORTS[index]}"
        RING_AT+=" --server=${SERVERS[index]}=tcp:127.0.0.1:${PORTS[index]}"
    done
    systemctl daemon-reload
    systemctl start "${UNITS[@]}"
    # What the journal passes on to a syslog daemon, it passes on at once.
    : >"$RING/log"
    start python3 "$TESTS/helpers/syslog_sink.py" /run/systemd/journal/syslog \
        >(sed -un 's/^<[0-9]*>.* tincan-handler\[[0-9]*\]: //p' >>"$RING/log")
    wait_until 20 [ -S /run/systemd/journal/syslog ]
}

stop_ring() {
    stop_started
    rm -f /run/systemd/journal/syslog
    systemctl stop "${UNITS[@]}"
    rm -rf /run/systemd/system/tincan-*
    systemctl daemon-reload
}

# play OPTION... GROUP...: plays groups of the table.
play() {
    # shellcheck disable=SC2086 # a list of options without spaces
    python3 "$TESTS/helpers/cases.py" play --handover=tcp --log="$RING/log" $RING_AT "$@"
}

repetitions() {
    echo 5
}
