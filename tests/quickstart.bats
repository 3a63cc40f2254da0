# SPDX-License-Identifier: MIT
# The README's first command, on a machine that is set up already: nothing is to be installed.

setup() {
    load helpers/common
    QUICKSTART=${TESTS%/*}/quickstart
}

# Each test in a network namespace of its own, so that port 4040 is free there or taken on purpose.
in_namespace() {
    unshare --net bash -c 'ip link set lo up && exec "$@"' - "$@"
}

@test "quickstart: piped lines come back in order on standard output, and nothing else does" {
    need systemd-socket-activate
    need_own_network
    run -0 --separate-stderr in_namespace bash -c 'printf "hello\nwörld\n" | "$1"' - "$QUICKSTART"
    assert_output $'hello\nwörld'
}

@test "quickstart: nothing stays running" {
    need systemd-socket-activate
    need_own_network
    run -0 --separate-stderr in_namespace bash -c '
        echo x | "$1"
        pgrep -a --ns $$ --nslist net "tincan|systemd-socket" || echo none' - "$QUICKSTART"
    assert_line none
}

@test "quickstart: where port 4040 is taken it takes another, and says so" {
    need systemd-socket-activate
    need_own_network
    run -0 --separate-stderr in_namespace bash -c '
        python3 -c "
import socket, subprocess, sys
taken = socket.create_server((\"127.0.0.1\", 4040))
sys.exit(subprocess.run([sys.argv[1]], input=b\"hello\\n\").returncode)" "$1"' - "$QUICKSTART"
    assert_output hello
    assert_regex "$stderr" 'port 4040 is taken: serving on port 4041'
}

@test "quickstart: in a terminal it opens the interactive client" {
    need systemd-socket-activate expect
    need_own_network
    run -0 in_namespace expect -c '
        set timeout 60
        spawn "'"$QUICKSTART"'"
        expect "Type message, enter to send. '"'q'"' to quit" { send "hello\r" } timeout { exit 1 }
        foreach line {"Connected to 127.0.0.1:4040" "Sent message: hello" "Received echo: hello"
                      "Closed connection to server"} {
            expect $line {} timeout { exit 1 } eof { exit 2 }
        }
        send "q\r"
        expect eof
        exit [lindex [wait] 3]'
}

@test "quickstart: what it does not know is refused with 2" {
    run -2 "$QUICKSTART" chek
    assert_output --partial "cannot take 'chek'"
}
