/* SPDX-License-Identifier: MIT */
/* What --help prints: each topic fits a screen. */
#ifndef TINCAN_CLIENT_HELP_H
#define TINCAN_CLIENT_HELP_H

/* The text for a topic, NULL being the overview; NULL when there is no such topic. */
const char *help_text(const char *topic);

#endif
