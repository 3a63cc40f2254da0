#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The documents: they show what is so.

load helpers/common

setup() {
    TOP=${TESTS%/*}
}

@test "documents: the pictures are what make pictures makes of the drawings" {
    local picture
    for picture in "$TOP"/*/*.svg; do
        "$TOP/packaging/draw" "${picture%.svg}.txt" | cmp - "$picture"
        python3 -c 'import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])' "$picture"
    done
}
