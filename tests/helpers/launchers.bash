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
# LIMIT, where it is set, is the launcher's limit: connections at a time, or for inetd starts a minute;
# `default` leaves it to the launcher. OF_ONE is the limit for one user or address, where there is one.
# XINETD_RATE and TCPSERVER_NAMES replace the settings of those two.
#
# In direct and pipe there is no launcher: the handler is a child of the one who plays.
#
# Names that begin with tincand are of ways to start the persistent server: by itself, or handed the
# listening socket by the launcher that the rest of the name is of.

LAUNCHERS=${TESTS%/*}/build/launchers
SERVERS=(patient impatient misled)

handover_of() {
    case $1 in
    pipe) echo pipes ;;
    s6-ipcserver | tincand-unix) echo unix ;;
    socat) echo relayed-socketpair ;;
    ncat) echo relayed-pipes ;;
    tincand-*inetd) echo tcp-waited-for ;;
    *) echo tcp ;;
    esac
}

logs_to_syslog() {
    case ${1#tincand-} in
    xinetd | openbsd-inetd | inetutils-inetd) ;;
    *) false ;;
    esac
}

# listens_itself NAME: whether there is nobody who starts the server when a peer comes.
listens_itself() {
    [[ $1 = tincand || $1 = tincand-unix ]]
}

# program_of NAME: the path of the launcher's program, if it is there.
program_of() {
    local name=${1#tincand-}
    case $name in
    tincand | unix) only_executable "$TINCAND" ;;
    systemd | systemd-*) command -v systemd-socket-activate ;;
    openbsd-inetd) only_executable "$LAUNCHERS/$name/usr/sbin/inetd" ;;
    xinetd | inetutils-inetd | rlinetd)
        only_executable "$LAUNCHERS/$name/usr/sbin/$name" || command -v "$name"
        ;;
    socat-nofork) command -v socat ;;
    tcpsvd) only_executable "$LAUNCHERS/ipsvd/usr/bin/tcpsvd" || command -v tcpsvd ;;
    *) command -v "$name" ;;
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

# limit SETTING NUMBER: the setting with $LIMIT, or with the number where that is not set.
limit() {
    local number=${LIMIT:-$2}
    [ "$number" = default ] || printf '%s%s' "$1" "$number"
}

become_xinetd() {
    become_configured_xinetd "$1" "$HANDLER" 'wait = no' "$(limit 'instances = ' UNLIMITED)" \
        "per_source = ${OF_ONE:-UNLIMITED}" "${XINETD_RATE-cps = 100000 1}" -- "${@:2}"
}

# A server that can't go on is not started more often than this: its peers wait.
become_tincand-xinetd() {
    become_configured_xinetd "$1" "$TINCAND" 'wait = yes' 'cps = 10 1' -- "${@:2}"
}

# become_configured_xinetd PORT SERVER SETTING... -- OPTION...
become_configured_xinetd() {
    local port=$1 server=$2 settings=()
    shift 2
    while [ "$1" != -- ]; do
        settings+=("$1")
        shift
    done
    shift
    cat >"$RING/xinetd.$port" <<CONFIGURATION
service tincan
{
    type        = UNLISTED
    socket_type = stream
    protocol    = tcp
    user        = root
    bind        = 127.0.0.1
    port        = $port
    server      = $server
    server_args = $*
$(printf '    %s\n' "${settings[@]}")
}
CONFIGURATION
    exec "$TESTS/helpers/private-log" "$RING/dev-log" "$PROGRAM" -dontfork \
        -f "$RING/xinetd.$port" -syslog daemon -pidfile "$RING/xinetd.$port.pid"
}

# The lines of inetd.conf, for `tcp` or `tcp4`: handler_line PROTOCOL PORT OPTION...
handler_line() {
    echo "127.0.0.1:$2 stream $1 nowait$(limit . 100000) root $HANDLER tincan-handler ${*:3}"
}

tincand_line() {
    echo "127.0.0.1:$2 stream $1 wait root $TINCAND tincand ${*:3}"
}

become_openbsd-inetd() {
    handler_line tcp "$@" >"$RING/inetd.$1"
    become_configured_openbsd-inetd "$1"
}

become_tincand-openbsd-inetd() {
    tincand_line tcp "$@" >"$RING/inetd.$1"
    become_configured_openbsd-inetd "$1"
}

become_configured_openbsd-inetd() {
    exec "$TESTS/helpers/private-log" "$RING/dev-log" "$PROGRAM" -i "$RING/inetd.$1"
}

become_inetutils-inetd() {
    handler_line tcp4 "$@" >"$RING/inetd.$1"
    become_configured_inetutils-inetd "$1"
}

become_tincand-inetutils-inetd() {
    tincand_line tcp4 "$@" >"$RING/inetd.$1"
    become_configured_inetutils-inetd "$1"
}

# Only with -d does it stay the process that was started.
become_configured_inetutils-inetd() {
    exec "$TESTS/helpers/private-log" "$RING/dev-log" \
        "$PROGRAM" -d "--pidfile=$RING/inetd.$1.pid" "$RING/inetd.$1"
}

# No names are looked up: -H -R -l 0.
become_tcpserver() {
    # shellcheck disable=SC2046,SC2086 # options
    exec "$PROGRAM" -q ${TCPSERVER_NAMES--H -R -l 0} $(limit -c 100) 127.0.0.1 "$1" "$HANDLER" "${@:2}"
}

become_s6-ipcserver() {
    # shellcheck disable=SC2046
    exec "$PROGRAM" $(limit -c 40) ${OF_ONE:+-C "$OF_ONE"} "$RING/socket.$1" "$HANDLER" "${@:2}"
}

become_tcpsvd() {
    # shellcheck disable=SC2046
    exec "$PROGRAM" $(limit -c 40) ${OF_ONE:+-C "$OF_ONE"} 127.0.0.1 "$1" "$HANDLER" "${@:2}"
}

# Unpacked, it does not find its own library but in a mount namespace.
become_rlinetd() {
    cat >"$RING/rlinetd.$1" <<CONFIGURATION
service "tincan" {
    port $1;
    interface 127.0.0.1;
    user "root";
    $(limit "instances " 100);
    exec "$HANDLER ${*:2}";
}
CONFIGURATION
    cd "$LAUNCHERS/rlinetd/usr/lib/" && cd ./*/ || return
    exec unshare --mount sh -c 'mount -t overlay -o "lowerdir=$PWD:$1" overlay "$1"; shift; exec "$@"' sh \
        "/usr/lib/${PWD##*/}" "$PROGRAM" -d -f "$RING/rlinetd.$1"
}

# As a relay; with the option nofork, socat hands over the connection itself. -t: once the peer has ended
# its half, the reply has this long, not half a second. end-close: the handler is not killed when the
# connection has ended; then the end of the peer's half is passed on only with shut-down.
become_socat() {
    exec "$PROGRAM" -t 60 "TCP-LISTEN:$1,bind=127.0.0.1,reuseaddr,fork$(limit ,max-children= default)" \
        "EXEC:$HANDLER ${*:2},shut-down,end-close"
}

become_socat-nofork() {
    exec "$PROGRAM" "TCP-LISTEN:$1,bind=127.0.0.1,reuseaddr,fork" "EXEC:$HANDLER ${*:2},nofork"
}

become_ncat() {
    # shellcheck disable=SC2046
    exec "$PROGRAM" -l -k -n -4 $(limit -m 100) -e "$HANDLER ${*:2}" 127.0.0.1 "$1"
}

become_tincand() {
    exec "$PROGRAM" --listen "127.0.0.1:$1" "${@:2}"
}

become_tincand-unix() {
    exec "$PROGRAM" --listen "unix:$RING/socket.$1" "${@:2}"
}

# It becomes tincand when the first peer comes.
become_tincand-systemd() {
    exec "$PROGRAM" -l "127.0.0.1:$1" "$TINCAND" "${@:2}"
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
    if [[ $LAUNCHER = tincand* && ! -x $TINCAND ]]; then
        echo "tincand is not built; it needs libsystemd (Debian: libsystemd-dev)"
    elif ! program_of "$LAUNCHER" >/dev/null; then
        echo "${LAUNCHER#tincand-} is not installed"
    elif [ "${LAUNCHER#tincand-}" = xinetd ] && [ "$(id -u)" -ne 0 ]; then
        echo "xinetd sets the groups of each server, which only root may"
    elif [ "$LAUNCHER" = rlinetd ] && [ "$(id -u)" -ne 0 ]; then
        echo "rlinetd finds its library in a mount namespace only, which only root can make"
    elif logs_to_syslog "$LAUNCHER" &&
        ! reason=$("$TESTS/helpers/private-log" /nonexistent true 2>&1); then
        echo "$LAUNCHER logs to /dev/log, and a private one can't be made: $reason"
    fi
}

into_log() {
    exec 2>>"$RING/log" >/dev/null </dev/null
    "$@"
}

# cases ARGUMENT...: cases.py, as a module, which Python need not compile each time.
cases() {
    PYTHONPATH=$TESTS/helpers python3 -m cases "$@"
}

# start_server SERVER: starts the launcher for one of the $SERVERS and adds its address to $RING_AT.
start_server() {
    local port options
    case $LAUNCHER in
    direct) RING_AT+=" --server=$1=spawn:tcp" && return ;;
    pipe) RING_AT+=" --server=$1=spawn:pipe" && return ;;
    esac
    # It would not stay until a peer comes.
    if [ "$1" = misled ] && listens_itself "$LAUNCHER"; then return; fi
    port=$(free_port)
    mapfile -t options < <(cases options "$1")
    PROGRAM=$(program_of "$LAUNCHER")
    start into_log "become_$LAUNCHER" "$port" "${options[@]}"
    if [ "$(handover_of "$LAUNCHER")" = unix ]; then
        wait_until 60 listening_at_path "$RING/socket.$port"
        RING_AT+=" --server=$1=unix:$RING/socket.$port"
    else
        wait_until 60 listening "$port"
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
        wait_until 60 [ -S "$RING/dev-log" ]
    fi
    for server in "${SERVERS[@]}"; do
        start_server "$server"
    done
}

# stop_ring: for teardown_file; ends the launchers, and before them what they started, by their ids.
stop_ring() {
    local pid
    for pid in $(still_running); do
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
# ended while it had nothing to do, so there they come many at a time; but no more than a socket's
# queue has room for, as the handler drops a line for which there is none.
together() {
    if [ "$LAUNCHER" = inetutils-inetd ]; then echo 10; else echo 1; fi
}

# play OPTION... GROUP...: plays groups of the table of cases through the launcher.
play() {
    local log=$RING/log
    case $LAUNCHER in direct | pipe) log=$BATS_TEST_TMPDIR/log ;; esac
    # shellcheck disable=SC2086 # a list of options without spaces
    cases play --handover="$(handover_of "$LAUNCHER")" --log="$log" \
        --together="$(together)" $RING_AT "$@" || {
        echo "The log ends with:"
        tail -n 3 "$log"
        return 1
    }
}

# play_misled: plays the group, or where the server is to listen itself, shows that it doesn't.
play_misled() {
    local options
    local -x PROGRAM
    if ! listens_itself "$LAUNCHER"; then
        play misled
        return
    fi
    mapfile -t options < <(cases options misled)
    PROGRAM=$(program_of "$LAUNCHER")
    run -64 timeout 60 "$BASH" -c '. "$TESTS/helpers/launchers.bash"; become_"$LAUNCHER" "$@"' \
        - "$(free_port)" "${options[@]}"
    assert_output --partial 'cannot use "abc" for --timeout'
    refute_output --partial 'listening on'
}

# repetitions: how often a race is tried to be lost. Many times for one launcher are enough.
repetitions() {
    if [ "$LAUNCHER" = systemd-inetd ]; then echo 100; else echo 5; fi
}
