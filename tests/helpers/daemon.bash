# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# What the tests of the persistent server begin with: `load helpers/daemon`; its tests are scripts
# for daemon.py.

load "${BASH_SOURCE[0]%/*}/common"

export LOAD=$TINCAN_BUILD/bench/load

setup() {
    [ -x "$TINCAND" ] || skip "tincand is not built; it needs libsystemd (Debian: libsystemd-dev)"
}

# script [COMMAND...]: runs the Python script on standard input, which has all of daemon.py, through
# COMMAND if one is given.
script() {
    local lines
    lines=$(cat)
    PYTHONPATH=$TESTS/helpers "$@" python3 -c "from daemon import *
$lines"
}

# refused OPTION...: tincand doesn't start with these, and exits 64.
refused() {
    run -64 timeout 20 "$TINCAND" "$@"
}
