#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What the client's conversation looks like in a terminal, tmux: the screens are compared as text.

load helpers/common
load helpers/client_common

setup() {
    need tmux
    cd "$BATS_TEST_TMPDIR" || return
    export XDG_STATE_HOME=$PWD/state HOME=$PWD LC_ALL=C.UTF-8
    unset NO_COLOR
}

teardown() {
    stop_started
    end_terminal
}

mux() {
    tmux -S "$BATS_TEST_TMPDIR/tmux.$TERMINALS" -f /dev/null -u "$@" 3>&- 4>&-
}
TERMINALS=0

end_terminal() {
    mux kill-server 2>/dev/null || true
}

# converse COLUMNS [OPTION]...: starts the client in a terminal of so many columns, and waits for its prompt.
converse() {
    end_terminal
    ((TERMINALS += 1))
    # shellcheck disable=SC2016 # for that shell
    mux new-session -d -x "$1" -y 40 sh -c 'trap : INT; "$@"; echo "status $?"; exec tail -f /dev/null' sh \
        "$TINCAN" "${@:2}" "$ADDRESS"
    sees '>'
}

# The screen as text, lines that the terminal wrapped in one piece, without the rows below the last text.
screen() {
    mux capture-pane -p -J "$@" | sed -e 's/ *$//' | sed -e :a -e '/^\n*$/{$d;N;ba' -e '}'
}

# sees TEXT [ENOUGH]: waits until the text is on the screen, so many times at least.
sees() {
    wait_until 60 has "$1" "${2:-1}" || {
        screen
        return 1
    }
}

has() {
    (($(screen | grep -oF -e "$1" | wc -l) >= $2))
}

# counts_on: more than the first second of waiting has been shown.
counts_on() {
    screen | grep -qE 'waiting ([2-9]|[1-9][0-9]+) s, Ctrl-C gives up'
}

keys() {
    mux send-keys "$@"
}

# paste TEXT [OPTION]...: pastes it, in printf's notation, unaltered; -p in brackets, if the client asked for them.
paste() {
    # shellcheck disable=SC2059 # it is one
    printf "$1" | mux load-buffer -
    mux paste-buffer -r "${@:2}"
}

# looks_like: the screen is standard input, but for times and the server's port.
looks_like() {
    screen | sed -E 's/[0-9]+\.[0-9]{3} ms/TIME ms/; s/[0-9]+\.[0-9] s$/TIME s/'"; s/${ADDRESS##*:}/PORT/" >shown
    diff - shown
}

@test "terminal: each echo has its time, and --classic prints the book's lines alone" {
    serve echo
    converse 80
    keys hello Enter
    sees '>' 2
    looks_like <<'END'
Type message, enter to send. 'q' to quit
> hello
Connected to 127.0.0.1:PORT
Sent message: hello
Received echo: hello
Closed connection to server; echo in TIME ms
>
END
    converse 80 --classic
    keys hello Enter
    sees '>' 2
    keys q Enter
    sees 'status 0'
    looks_like <<'END'
Type message, enter to send. 'q' to quit
> hello
Connected to 127.0.0.1:PORT
Sent message: hello
Received echo: hello
Closed connection to server
> q
status 0
END
}

@test "terminal: after Ctrl-Z and fg pasted lines are still one message, and the shell is pasted to as before" {
    need dash
    need_libedit
    serve echo
    mux new-session -d -x 80 -y 40 env PS1='$ ' PS2='' dash -i
    sees '$'
    keys "$TINCAN $ADDRESS" Enter
    sees '>'
    keys C-z
    sees Stopped
    paste 'echo sum$((1+1))\necho sum$((1+2))\n' -p # in no brackets, as dash asked for none
    sees sum2
    sees sum3
    keys fg Enter
    sees '>' 2
    keys x # which is read when all that follows from the signal is done
    sees '> x'
    paste 'one\ntwo' -p
    keys Enter
    sees 'Received echo: the same 8 bytes'
    keys C-z
    sees Stopped 2
    paste 'echo sum$((2+2))\necho sum$((2+3))\n' -p
    sees sum4
}

@test "terminal: a failure is red, unless NO_COLOR or --color says otherwise" {
    ADDRESS=127.0.0.1:$(free_port)
    # shellcheck disable=SC2034 # by their names in the table
    local red=$'tincan: \e[31mconnecting to' plain='tincan: connecting to' expected without option
    while read -r expected without option; do
        NO_COLOR=${without#-} converse 80 "$option"
        keys x Enter
        sees refused
        screen -e | grep -qF "${!expected}" || fail "$option, NO_COLOR=$without: $(screen -e)"
    done <<'TABLE'
red - --color=auto
plain 1 --color=auto
red 1 --color=always
plain - --color=never
TABLE
}

@test "terminal: the seconds of waiting are shown, and Ctrl-C gives up the exchange only" {
    serve silent echo
    converse 80
    keys hello Enter
    wait_until 60 counts_on
    keys C-c
    sees '>' 2
    keys again Enter
    sees '>' 3
    keys q Enter
    sees 'status 1'
    looks_like <<'END'
Type message, enter to send. 'q' to quit
> hello
Connected to 127.0.0.1:PORT
Sent message: hello
tincan: getting an echo from 127.0.0.1:PORT: given up after TIME s
Closed connection to server
> again
Connected to 127.0.0.1:PORT
Sent message: again
Received echo: again
Closed connection to server; echo in TIME ms
> q
status 1
END
}

@test "terminal: a message of more than a row is shown once, and an altered echo of it whole" {
    serve echo tag:"'tag': " upper
    converse 80
    local message
    message=$(printf 'word%.0s' {1..30})
    for reply in 1 2 3; do
        keys "$message" Enter
        sees '>' $((reply + 1))
    done
    looks_like <<END
Type message, enter to send. 'q' to quit
> $message
Connected to 127.0.0.1:PORT
Sent message: 120 bytes
Received echo: the same 120 bytes
Closed connection to server; echo in TIME ms
> $message
Connected to 127.0.0.1:PORT
Sent message: 120 bytes
Received echo: 'tag': the same 120 bytes
Closed connection to server; echo in TIME ms
> $message
Connected to 127.0.0.1:PORT
Sent message: 120 bytes
Received echo: ${message^^}
tincan: getting an echo from 127.0.0.1:PORT: altered: the byte at offset 0 was sent as 0x77 and came back as 0x57; it looks as if the case was changed (to upper)
Closed connection to server
>
END
}

@test "terminal: a message that fits its row is shown whole, however many bytes it has" {
    need_libedit
    serve echo
    converse 80
    local message
    message=$(printf 'ш%.0s' {1..45})
    keys "$message" Enter
    sees "Received echo: $message"
    keys "$(printf 'x%.0s' {1..79})" Enter
    sees 'Received echo: the same 79 bytes'
    # A character may take two columns or none, a tab more, and a newline begins a row.
    keys "$(printf '漢%.0s' {1..40})" Enter
    sees 'Received echo: the same 120 bytes'
    message=$(printf 'e\u0301%.0s' {1..45})
    keys "$message" Enter
    sees "Received echo: $message"
    paste "$(printf '\\t%.0s' {1..11})" -p
    keys Enter
    sees 'Received echo: the same 11 bytes'
    paste 'two\nrows' -p
    keys Enter
    sees 'Received echo: the same 8 bytes'
}

@test "terminal: pasted text is one message, with its tabs and line endings" {
    need_libedit
    serve echo echo echo echo 'longer:|'
    converse 80 --classic
    paste 'col1\tcol2\r\nlf\nend\r\n' -p
    keys Enter
    sees 'Received echo: col1\x09col2\x0d\x0alf\x0aend\x0d\x0a'
    sees 'Closed'
    # Most terminals send CR for LF.
    paste 'one\rtwo' -p
    keys Enter
    sees 'Received echo: one\x0atwo'
    # What comes back from the history is what was sent.
    keys Up Up Enter
    sees 'Received echo: col1\x09col2\x0d\x0alf\x0aend\x0d\x0a' 2
    paste '\033[201' -p # like the end of a paste
    keys Enter
    sees 'Received echo: \x1b[201'
    keys 'blank ' Enter
    sees 'Received echo: blank |'
    keys Up Enter
    sees 'Received echo: blank |' 2
}

@test "terminal: pasted without brackets, each line is a message, and none is empty" {
    need_libedit
    serve echo
    converse 80
    paste 'col1\tcol2\r\nline2\r\n'
    sees '>' 3
    paste 'line3\nline4\n'
    sees '>' 5
    keys q Enter
    sees 'status 0'
    assert_equal "$(screen | grep Received)" 'Received echo: col1\x09col2
Received echo: line2
Received echo: line3
Received echo: line4'
}

@test "terminal: Ctrl-D deletes within a line, does nothing at its end, and ends at an empty one" {
    need_libedit
    serve echo
    converse 80
    keys hello C-d Left C-d Enter
    sees 'Received echo: hell'
    sees '>' 2
    keys C-d
    sees 'status 0'
}

@test "terminal: in 20 columns a message is edited, sent and waited for" {
    need_libedit
    serve silent echo
    converse 20
    keys 'a message of more than a row' C-a 'X' C-e 'Y' Enter
    sees 'waiting '
    keys C-c
    sees '>' 2
    keys Up C-e BSpace Enter
    sees '>' 3
    looks_like <<'END'
Type message, enter to send. 'q' to quit
> Xa message of more than a rowY
Connected to 127.0.0.1:PORT
Sent message: 30 bytes
tincan: getting an echo from 127.0.0.1:PORT: given up after TIME s
Closed connection to server
> Xa message of more than a row
Connected to 127.0.0.1:PORT
Sent message: 29 bytes
Received echo: the same 29 bytes
Closed connection to server; echo in TIME ms
>
END
}

@test "terminal: Ctrl-C at the prompt ends the client, and leaves no mode of the terminal behind" {
    need_libedit
    serve echo
    converse 80
    [[ $(mux display-message -p '#{pane_in_mode}#{cursor_flag}') == 01 ]]
    keys 'half a mess' C-c
    sees 'status 130'
    paste 'plain' -p
    sees plain
    run -0 screen
    refute_output --partial '200~'
}
