#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The checks of `make lint` that are the project's own.

setup() {
    load helpers/common
    mkdir "$BATS_TEST_TMPDIR/copy"
    cd "$BATS_TEST_TMPDIR/copy" || return
    cp -R "${TESTS%/*}"/{Makefile,common,handler,tincand,client,units,packaging,tests} .
    unset MAKEFLAGS MAKELEVEL
}

# refused FILE HEADER WORDS: that FILE includes HEADER is complained of with WORDS.
refused() {
    sed -i.before "0,/^#include \"/s||#include \"$2\"\n&|" "$1"
    run -1 "$TESTS/includes"
    assert_output --partial "$3"
    mv "$1.before" "$1"
}

@test "lint: includes go one way" {
    run -0 "$TESTS/includes"
    assert_output ''
    refused handler/result.c client/options.h 'handler/result.c includes "client/options.h"'
    refused handler/result.h tincand/server.h 'handler/result.h includes "tincand/server.h"'
    refused common/text.c handler/result.h 'common/text.c includes "handler/result.h"'
    refused client/options.c tincand/server.h 'client/options.c includes "tincand/server.h"'
    refused client/talk/chat.c client/probe/probe.h 'client/talk/chat.c includes "client/probe/probe.h"'
    refused client/net/target.c client/options.h 'client/net/target.c includes "client/options.h"'
    refused client/report/report.h client/probe/probe.h 'client/report/report.h includes "client/probe/probe.h"'
    refused common/tag.c text.h 'no path from the top'
    echo '#include "common/tag.h"' >>common/clock.c
    refused common/tag.h common/clock.h 'in a circle: common/'
}

@test "lint: no two headers share a name, and guards are made of paths" {
    cp common/tag.h handler/tag.h
    run -1 "$TESTS/includes"
    assert_output --partial '2 headers are called tag.h'
    assert_output --partial 'handler/tag.h is not guarded by TINCAN_HANDLER_TAG_H'
}

@test "lint: the Makefile lists what the handler links" {
    refused handler/result.c common/utf8.h 'common/utf8.c: HANDLER_SRC in the Makefile does not list it'
    sed -i '/^HANDLER_SRC/s/common\/,/&streams.c /' Makefile
    run -1 "$TESTS/includes"
    assert_output --partial 'common/streams.c: HANDLER_SRC in the Makefile lists it'
}
