# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# The launchers that the table of cases (cases.py) is played through; after helpers/common.
#
# For each launcher there is `become_NAME PORT OPTION...`, which becomes the launcher, listening on
# 127.0.0.1:PORT and starting the handler with the options; the rest is told apart here:
#
#   what it hands over   handover_of NAME: a key of HANDOVERS in cases.py, which says what can't be
#                        promised where a relay stands in between
#   its log              standard error, inherited, into $RING/log; or, where the connection is on
#                        descriptor 2 too (logs_to_syslog), a collector behind a private /dev/log
#
# In direct and pipe there is no launcher: the handler is a child of the one who plays.

LAUNCHERS=${TESTS%/*}/build/launchers
SERVERS=(patient impatient misled)

handover_of() {
    case $1 in
    pipe) echo pipes ;;
    s6-ipcserver) echo unix ;;
    socat) echo relayed-socketpair ;;
    ncat) echo relayed-pipes ;;
    *) echo tcp ;;
    esac
}

logs_to_syslog() {
    case $1 in
    xinetd | openbsd-inetd | inetutils-inetd) ;;
    *) false ;;
    esac
}

# program_of NAME: the path of the launcher's program, if it is there.
program_of() {
    case $1 in
    systemd-*) command -v systemd-socket-activate ;;
    openbsd-inetd) only_executable "$LAUNCHERS/$1/usr/sbin/inetd" ;;
    xinetd | inetutils-inetd)
        only_executable "$LAUNCHERS/$1/usr/sbin/$1" || command -v "$1"
        ;;
    *) command -v "$1" ;;
    esac
}

only_executable() {
    [ -x "$1" ] && echo "$1"
}

become_systemd-inetd() {
    exec "$PROGRAM" --accept --inetd -l "127.0.0.1:$1" "$HANDLER" "${@:2}"
}

become_systemd-native() {
    exec "$PROGRAM" --accept -l "127.0.0.1:$1" "$HANDLER" "${@:2}"
}

become_xinetd() {
    cat >"$RING/xinetd.$1" <<CONFIGURATION
service tincan
{
    type        = UNLISTED
    socket_type = stream
    protocol    = tcp
    wait        = no
    user        = root
    bind        = 127.0.0.1
    port        = $1
    server      = $HANDLER
    server_args = ${*:2}
    instances   = UNLIMITED
    per_source  = UNLIMITED
    cps         = 100000 1
}
CONFIGURATION
    exec "$TESTS/helpers/private-log" "$RING/dev-log" \
        "$PROGRAM" -dontfork -f "$RING/xinetd.$1" -syslog daemon -pidfile "$RING/xinetd.$1.pid"
}

# write_inetd_line PROTOCOL PORT OPTION...
write_inetd_line() {
    echo "127.0.0.1:$2 stream $1 nowait.100000 root $HANDLER tincan-handler ${*:3}" \
        >"$RING/inetd.$2"
}

become_openbsd-inetd() {
    write_inetd_line tcp "$@"
    exec "$TESTS/helpers/private-log" "$RING/dev-log" "$PROGRAM" -i "$RING/inetd.$1"
}

# Only with -d does it stay the process that was started.
become_inetutils-inetd() {
    write_inetd_line tcp4 "$@"
    exec "$TESTS/helpers/private-log" "$RING/dev-log" \
        "$PROGRAM" -d "--pidfile=$RING/inetd.$1.pid" "$RING/inetd.$1"
}

# No names are looked up: -H -R -l 0.
become_tcpserver() {
    exec "$PROGRAM" -q -H -R -l 0 -c 100 127.0.0.1 "$1" "$HANDLER" "${@:2}"
}

become_s6-ipcserver() {
    exec "$PROGRAM" "$RING/socket.$1" "$HANDLER" "${@:2}"
}

# -t: once the peer has ended its half, the reply has this long, not half a second.
become_socat() {
    exec "$PROGRAM" -t 60 "TCP-LISTEN:$1,bind=127.0.0.1,reuseaddr,fork" "EXEC:$HANDLER ${*:2}"
}

become_ncat() {
    exec "$PROGRAM" -l -k -n -4 -m 100 -e "$HANDLER ${*:2}" 127.0.0.1 "$1"
}

# What the tables of the kernel say is asked, as a trial connection would start a handler.
listening() {
    grep -q " 0100007F:$(printf %04X "$1") 00000000:0000 0A " /proc/net/tcp
}

listening_at_path() {
    grep -q " 00010000 .* $1\$" /proc/net/unix
}

# ring_problem: why the tests of $LAUNCHER can't run here; nothing if they can.
ring_problem() {
    local reason
    case $LAUNCHER in direct | pipe) return ;; esac
    if ! program_of "$LAUNCHER" >/dev/null; then
        echo "$LAUNCHER is not installed"
    elif [ "$LAUNCHER" = xinetd ] && [ "$(id -u)" -ne 0 ]; then
        echo "xinetd sets the groups of each server, which only root may"
    elif logs_to_syslog "$LAUNCHER" &&
        ! reason=$("$TESTS/helpers/private-log" /nonexistent true 2>&1); then
        echo "$LAUNCHER logs to /dev/log, and a private one can't be made: $reason"
    fi
}

into_log() {
    exec 2>>"$RING/log" >/dev/null </dev/null
    "$@"
}

# start_server SERVER: starts the launcher for one of the $SERVERS and adds its address to $RING_AT.
start_server() {
    local port options
    case $LAUNCHER in
    direct) RING_AT+=" --server=$1=spawn:tcp" && return ;;
    pipe) RING_AT+=" --server=$1=spawn:pipe" && return ;;
    esac
    port=$(free_port)
    mapfile -t options < <(python3 "$TESTS/helpers/cases.py" options "$1")
    PROGRAM=$(program_of "$LAUNCHER")
    start into_log "become_$LAUNCHER" "$port" "${options[@]}"
    if [ "$LAUNCHER" = s6-ipcserver ]; then
        wait_until 20 listening_at_path "$RING/socket.$port"
        RING_AT+=" --server=$1=unix:$RING/socket.$port"
    else
        wait_until 20 listening "$port"
        RING_AT+=" --server=$1=tcp:127.0.0.1:$port"
    fi
}

# start_ring LAUNCHER: for setup_file; starts what `play` needs.
start_ring() {
    local server
    export LAUNCHER=$1 RING=$BATS_FILE_TMPDIR RING_AT='' RING_PROBLEM
    RING_PROBLEM=$(ring_problem)
    [ -z "$RING_PROBLEM" ] || return 0
    : >"$RING/log"
    if logs_to_syslog "$LAUNCHER"; then
        start python3 "$TESTS/helpers/syslog_sink.py" "$RING/dev-log" "$RING/log"
        wait_until 20 [ -S "$RING/dev-log" ]
    fi
    for server in "${SERVERS[@]}"; do
        start_server "$server"
    done
}

# stop_ring: for teardown_file; ends the launchers, and before them what they started, by their ids.
stop_ring() {
    local pid
    for pid in "${STARTED_ALL[@]}"; do
        stop_children "$pid"
    done
    stop_started
}

stop_children() {
    local child children
    children=$(cat "/proc/$1"/task/*/children 2>/dev/null) || return 0
    for child in $children; do
        stop_children "$child"
        kill "$child" 2>/dev/null || true
    done
}

# together: how many cases are played at a time. inetutils-inetd sleeps for a second when a child
# ended while it had nothing to do, so there they come many at a time.
together() {
    if [ "$LAUNCHER" = inetutils-inetd ]; then echo 50; else echo 1; fi
}

# play OPTION... GROUP...: plays groups of the table of cases through the launcher.
play() {
    local log=$RING/log
    case $LAUNCHER in direct | pipe) log=$BATS_TEST_TMPDIR/log ;; esac
    # shellcheck disable=SC2086 # a list of options without spaces
    python3 "$TESTS/helpers/cases.py" play --handover="$(handover_of "$LAUNCHER")" --log="$log" \
        --together="$(together)" $RING_AT "$@"
}

# repetitions: how often a race is tried to be lost. Many times for one launcher are enough.
repetitions() {
    if [ "$LAUNCHER" = systemd-inetd ]; then echo 100; else echo 5; fi
}
