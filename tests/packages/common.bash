# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# What the tests of the packages in the booted root begin with: `load common` in `setup`, then `clean`.
# $PACKAGES/now has the packages, $PACKAGES/next the same ones under a higher version.

load ../helpers/common

export PACKAGES=/var/lib/tincan-tests/packages
export SOCKETS="tincan.socket tincand.socket"

# clean: a system that never had the packages, but for the user.
clean() {
    stop_started
    dpkg --purge tincan-client tincan-server tincand 2>/dev/null
    find /etc/systemd/system -depth -name 'tincan*' ! -name 'tincan-tests*' -exec rm -r {} +
    systemctl daemon-reload
    systemctl reset-failed
    cd "$BATS_TEST_TMPDIR" || return
}

# install_packages now|next [PACKAGE]...: all three of them unless some are named.
install_packages() {
    local which=$1 package files=()
    shift
    [ $# -gt 0 ] || set -- tincan-client tincan-server tincand
    for package; do
        files+=("$PACKAGES/$which/${package}"_*.deb)
    done
    dpkg -i "${files[@]}"
}

echoes() {
    run -0 tincan -m 'wörld' 127.0.0.1
    assert_output 'wörld'
}

# talk: one exchange after the other, a line in `exchanges` for each, until the file `enough` is
# there; what fails goes to `failures`.
talk() {
    rm -f enough exchanges failures
    start bash -c 'while [ ! -e enough ]; do
        tincan -m "still there?" 127.0.0.1 >/dev/null 2>>failures || echo "status $?" >>failures
        echo >>exchanges
    done'
    wait_until 30 more_exchanges 2
}

# more_exchanges COUNT: so many have ended.
more_exchanges() {
    [ -e exchanges ] && [ "$(wc -l <exchanges)" -ge "$1" ]
}

# none_failed: of what `talk` tried, some of it later than now.
none_failed() {
    wait_until 30 more_exchanges $(($(wc -l <exchanges) + 3))
    touch enough
    if [ -s failures ]; then
        cat failures
        return 1
    fi
}

# programs: the processes of what is installed, by name.
programs() {
    cat /proc/[0-9]*/comm 2>/dev/null | grep '^tincan' || true
}

# left_behind: files of the packages, wherever packages put files or state.
left_behind() {
    find / -xdev -name '*tincan*' ! -path "/var/lib/tincan-tests*" ! -path "/usr/lib/tincan-tests*" \
        ! -path "/tmp/*" ! -path "/var/log/*" ! -path '/etc/systemd/system/*tincan-tests.service' \
        ! -path "/proc/*" ! -path "/sys/*" ! -path "/run/*" ! -path "/dev/*"
}
