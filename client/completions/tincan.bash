# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# bash completion for tincan.

# Adds those of the words in $2 that begin as $1 does to COMPREPLY.
_tincan_words() {
    local word
    for word in $2; do
        [[ $word != "$1"* ]] || COMPREPLY+=("$word")
    done
    # What belongs behind these follows without a space.
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[=:] ]]; then
        compopt -o nospace 2>/dev/null
    fi
}

_tincan_files() {
    local file
    while IFS= read -r file; do
        COMPREPLY+=("$file")
    done < <(compgen -f -- "$1")
    compopt -o filenames 2>/dev/null
}

_tincan_interfaces() {
    local path
    for path in /sys/class/net/*; do
        printf '%s ' "${path##*/}"
    done
}

# Completes the value $2 of the option $1; fails if that takes none.
_tincan_value() {
    case $1 in
    -P | --pattern)
        _tincan_words "$2" 'text ascii utf8 crlf iac random: file:'
        ;;
    --help)
        _tincan_words "$2" 'all probe report'
        ;;
    --color)
        _tincan_words "$2" 'auto always never'
        ;;
    -I | --source)
        _tincan_words "$2" "$(_tincan_interfaces)"
        ;;
    --prometheus | --targets)
        _tincan_files "$2"
        ;;
    -[cimswW] | --message | --timeout | --max-bytes | --count | --interval | --rate | --deadline | --parallel | \
        --size | --sweep | --report-every | --warning | --critical | --warning-loss | --critical-loss) ;;
    *)
        return 1
        ;;
    esac
}

_tincan_rest() {
    local host
    if [[ $1 == -* ]]; then
        _tincan_words "$1" '--message= --null --whole --connect-first --classic --ipv4 --ipv6 --source= --timeout=
            --max-bytes= --quiet --color= --help --version --count= --interval= --rate= --deadline= --flood
            --parallel= --size= --pattern= --targets= --all-addresses --diagnose --sweep= --timestamps
            --report-every= --json --histogram --prometheus= --check --warning= --critical= --warning-loss=
            --critical-loss='
        return
    fi
    _tincan_words "$1" 'unix: vsock:'
    while IFS= read -r host; do
        COMPREPLY+=("$host")
    done < <(compgen -A hostname -- "$1")
}

_tincan() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} mark=
    COMPREPLY=()
    # For bash '=' and ':' are words of their own.
    if [[ $word == [=:] ]]; then
        mark=$word word=
    elif [[ $before == [=:] ]]; then
        mark=$before before=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    case $mark$before in
    :file | :unix) _tincan_files "$word" ;;
    :*) ;;
    =*) _tincan_value "$before" "$word" ;;
    --help) _tincan_rest "$word" ;; # its value stands behind '=' only
    *) _tincan_value "$before" "$word" || _tincan_rest "$word" ;;
    esac
} && complete -F _tincan tincan
