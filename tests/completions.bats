#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2016,SC2154 # scripts for other shells; what bats and the helpers set
# What shells offer of the client's options, against what its help says that it has.

load helpers/common

setup() {
    cd "$BATS_TEST_TMPDIR" || return
    COMPLETIONS=${TESTS%/*}/client/completions
}

# The long options in all groups of the help, a line each.
help_options() {
    "$TINCAN" --help=all | grep -oE -e '--[a-z][a-z0-9-]*' | sort -u
}

# The letters that have an option, a line each.
help_letters() {
    "$TINCAN" --help=all | sed -nE 's/^  (-[a-zA-Z0-9]), --.*/\1/p' | sort -u
}

# in_bash WORD...: what bash offers for the last of these words of a command line, a line each.
in_bash() {
    bash -c '. "$0/tincan.bash"
        COMP_WORDS=(tincan "$@") COMP_CWORD=$#
        _tincan tincan
        printf "%s\n" "${COMPREPLY[@]}"' "$COMPLETIONS" "$@" | sort
}

# in_fish LINE: what fish offers at the end of the line, a line each, without descriptions.
in_fish() {
    HOME=$PWD fish -c 'source $argv[1]/tincan.fish; complete -C $argv[2]' "$COMPLETIONS" "$1" |
        cut -f 1 | sort
}

@test "bash completes all long options that there are, and no other" {
    assert_equal "$(in_bash -- -- | tr -d '=' | sort)" "$(help_options)"
}

@test "bash knows which options take a value" {
    local expected
    expected=$("$TINCAN" --help=all |
        grep -oE -e '--[a-z][a-z0-9-]*=[A-Z]' | sed 's/.$//' | sort -u)
    assert_equal "$(in_bash -- -- | grep '=')" "$expected"
}

@test "bash completes one option, values where there is a list, files and addresses" {
    : >some-file
    assert_equal "$(in_bash --par)" --parallel=
    assert_equal "$(in_bash --critical-)" --critical-loss=
    assert_equal "$(in_bash -P '' | tr '\n' ' ')" 'ascii crlf file: iac random: text utf8 '
    assert_equal "$(in_bash --pattern = ut)" utf8
    assert_equal "$(in_bash --pattern =)" "$(in_bash -P '')"
    assert_equal "$(in_bash -P file : some)" some-file
    assert_equal "$(in_bash --pattern = file : some)" some-file
    assert_equal "$(in_bash --help = r)" report
    assert_equal "$(in_bash --color = n)" never
    assert_equal "$(in_bash --prometheus = some)" some-file
    assert_equal "$(in_bash -c 3 --js)" --json
    assert_equal "$(in_bash -c '')" ''
    assert_equal "$(in_bash -I l | grep -x lo)" lo
    assert_equal "$(in_bash un)" unix:
    assert_equal "$(in_bash unix : some)" some-file
    assert_equal "$(in_bash localhost : '')" ''
}

@test "bash completes at a terminal" {
    need expect
    : >some-file
    run -0 env PS1='ready> ' INPUTRC=/dev/null TERM=dumb expect -c '
        set timeout 60
        spawn bash --norc --noprofile
        expect "ready> "
        send ". '"$COMPLETIONS"'/tincan.bash; tincan() { echo \"<$*>\"; }\r"
        expect "ready> "
        foreach {typed completed} {
            "--patt\tut\t-q"            "<--pattern=utf8 -q>"
            "-P fi\tsome\t-q"           "<-P file:some-file -q>"
            "--pattern=file:so\t-q"     "<--pattern=file:some-file -q>"
            "uni\tsom\t-q"              "<unix:some-file -q>"
            "--jso\t-q"                 "<--json -q>"
        } {
            send "tincan $typed\r"
            expect -exact $completed {} timeout { exit 1 } eof { exit 2 }
            expect "ready> "
        }
        send "exit\r"
        expect eof'
}

@test "zsh completes all options that there are, and no other" {
    need zsh
    zsh -n "$COMPLETIONS/_tincan"
    local options
    options=$(sed -n '/^_arguments/,$s/\[.*//p' "$COMPLETIONS/_tincan")
    assert_equal "$(grep -oE -e '--[a-z][a-z0-9-]*' <<<"$options" | sort -u)" "$(help_options)"
    assert_equal "$(sed -nE 's/.*\{(-[a-zA-Z0-9])\+?,--.*/\1/p' <<<"$options" | sort -u)" "$(help_letters)"
}

# in_zsh LINE: what stands there after a tabulator at the end of the line, in a terminal of zsh.
in_zsh() {
    HOME=$PWD ZDOTDIR=$PWD timeout 60 zsh -f -c '
        zmodload zsh/zpty
        zpty shell "PS1= TERM=dumb zsh -f"
        zpty -w shell "fpath=($0 \$fpath); autoload -U compinit; compinit -u -d ./dump; unsetopt zle; setopt zle"
        zpty -w shell "show() { print -r -- \"<\$BUFFER>\"; BUFFER=; }; zle -N show; bindkey \"^X\" show; print re\"\"ady"
        zpty -r shell said "*ready*"
        zpty -w -n shell "$1"$'"'\\t\\x18'"'
        zpty -r shell said "*<*>*" && print -r -- "$said"' "$COMPLETIONS" "$1" |
        sed -n 's/.*<\(.*\)>.*/\1/p' | tail -n 1
}

@test "zsh completes at a terminal" {
    need zsh
    : >some-file
    assert_equal "$(in_zsh 'tincan --patt')" 'tincan --pattern='
    assert_equal "$(in_zsh 'tincan --pattern=ut')" 'tincan --pattern=utf8 '
    assert_equal "$(in_zsh 'tincan -P file:so')" 'tincan -P file:some-file '
    assert_equal "$(in_zsh 'tincan -c 3 --js')" 'tincan -c 3 --json '
    assert_equal "$(in_zsh 'tincan unix:so')" 'tincan unix:some-file '
}

@test "fish completes all options that there are, and no other" {
    need fish
    fish --no-execute "$COMPLETIONS/tincan.fish"
    assert_equal "$(in_fish 'tincan --' | tr -d '=' | sort -u)" "$(help_options)"
    assert_equal "$(in_fish 'tincan -' | grep -xE -e '-[^-]')" "$(help_letters)"
}

@test "fish completes values where there is a list, files and addresses" {
    need fish
    : >some-file
    assert_equal "$(in_fish 'tincan --pattern=ut')" --pattern=utf8
    assert_equal "$(in_fish 'tincan -P ' | tr '\n' ' ')" 'ascii crlf file: iac random: text utf8 '
    assert_equal "$(in_fish 'tincan -P file:so')" file:some-file
    assert_equal "$(in_fish 'tincan --help=' | tr '\n' ' ')" '--help=all --help=probe --help=report '
    assert_equal "$(in_fish 'tincan --prometheus so')" some-file
    assert_equal "$(in_fish 'tincan vso')" vsock:
}

@test "completions are installed where each shell looks for them, and removed" {
    local file root=$PWD/root
    make_install "$root" prefix=/usr
    for file in bash-completion/completions/tincan zsh/site-functions/_tincan \
        fish/vendor_completions.d/tincan.fish; do
        assert [ -s "root/usr/share/$file" ]
    done
    make -s -C "${TESTS%/*}" uninstall DESTDIR="$root" prefix=/usr
    run -0 find root/usr/share -name '*tincan*' -type f
    assert_output ''
    make_install "$root" bashcompletiondir=/b zshcompletiondir=/z fishcompletiondir=/f
    assert [ -s root/b/tincan ] && assert [ -s root/z/_tincan ] && assert [ -s root/f/tincan.fish ]
}
