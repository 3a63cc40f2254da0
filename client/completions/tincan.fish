# SPDX-License-Identifier: MIT
# fish completion for tincan.

function __tincan_pattern
    set -l word (string replace -r '^(--pattern=|-P)' '' -- (commandline -ct))
    if string match -q 'file:*' -- $word
        __fish_complete_path (string replace 'file:' '' -- $word) | string replace -r '^' 'file:'
        return
    end
    printf '%s\t%s\n' text 'A line of ASCII' ascii 'Every character of ASCII' \
        utf8 'One to four bytes each' crlf 'Line endings of every kind' \
        iac 'What telnet alters' random: 'Characters by a seed' file: 'The contents of a file'
end

function __tincan_interfaces
    test -d /sys/class/net; and command ls /sys/class/net
end

function __tincan_addresses
    __fish_print_hostnames
    printf '%s\n' unix: vsock:
end

complete -c tincan -f -a '(__tincan_addresses)'
complete -c tincan -x -s m -l message -d 'Send this text'
complete -c tincan -f -s 0 -l null -d 'Messages and echoes are separated by null bytes'
complete -c tincan -f -l whole -d 'All of standard input is one message'
complete -c tincan -f -l connect-first -d 'Connect before asking for a message'
complete -c tincan -f -l classic -d 'In a conversation, only the lines of the book'
complete -c tincan -f -s 4 -l ipv4 -d 'Use IPv4 only'
complete -c tincan -f -s 6 -l ipv6 -d 'Use IPv6 only'
complete -c tincan -x -s I -l source -a '(__tincan_interfaces)' -d 'Connect from this address or interface'
complete -c tincan -x -s W -l timeout -d 'Time for an exchange, e.g. 500ms'
complete -c tincan -x -l max-bytes -d 'Longest message to send, e.g. 64k'
complete -c tincan -f -s q -l quiet -d 'Print only echoes, errors, or the summary'
complete -c tincan -x -l color -a 'auto always never' -d 'Failures in red'
complete -c tincan -f -s h -l help -a 'all probe report' -d 'Print help'
complete -c tincan -f -s V -l version -d 'Print the version'
complete -c tincan -x -s c -l count -d 'How many probes'
complete -c tincan -x -s i -l interval -d 'From one probe to the next'
complete -c tincan -x -l rate -d 'So many probes a second'
complete -c tincan -x -s w -l deadline -d 'Time for the whole run'
complete -c tincan -f -s f -l flood -d 'The next probe begins as soon as one ends'
complete -c tincan -x -l parallel -d 'At most so many probes at once'
complete -c tincan -x -s s -l size -d 'Bytes of a message'
complete -c tincan -x -s P -l pattern -a '(__tincan_pattern)' -d 'What messages are made of'
complete -c tincan -r -F -l targets -d 'Also probe the addresses in a file'
complete -c tincan -f -l all-addresses -d 'Probe each address of a name by itself'
complete -c tincan -f -l diagnose -d 'Try each pattern, then sizes, and say what is wrong'
complete -c tincan -x -l sweep -d 'Find the size of message at which replies stop'
complete -c tincan -f -s D -l timestamps -d 'Begin each line with the time'
complete -c tincan -x -l report-every -d 'Also sum up each such stretch of time'
complete -c tincan -f -l json -d 'Print an object a line, and a summary'
complete -c tincan -f -l histogram -d 'Draw how times are distributed'
complete -c tincan -r -F -l prometheus -d 'Write a file for the textfile collector'
complete -c tincan -f -l check -d 'Be a monitoring plugin'
complete -c tincan -x -l warning -d 'For --check: range of the average time in ms'
complete -c tincan -x -l critical -d 'For --check: range of the average time in ms'
complete -c tincan -x -l warning-loss -d 'For --check: range of the loss in percent'
complete -c tincan -x -l critical-loss -d 'For --check: range of the loss in percent'
