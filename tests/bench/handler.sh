#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# handler.sh: the handler as a short script: one message, from standard input to standard output.
IFS= read -r -d '' message || exit 65
printf '%s\0' "$message"
