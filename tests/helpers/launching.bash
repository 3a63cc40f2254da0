# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# The tables of units/LAUNCHING.md against what is so; after helpers/common.

LAUNCHING=${TESTS%/*}/units/LAUNCHING.md

# in_tables ROW...: each of these rows is in the page.
in_tables() {
    local row
    for row; do
        grep -Fxq -- "$row" "$LAUNCHING" || {
            printf 'units/LAUNCHING.md lacks this row, which is what was measured:\n%s\n' "$row"
            return 1
        }
    done
}

# hands_over ROW HOST PORT (or ROW PATH): what listens there hands over what the rows of that name say.
hands_over() {
    run -0 python3 "$TESTS/helpers/handover.py" "$@"
    in_tables "${lines[@]}"
}
