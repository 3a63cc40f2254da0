/* SPDX-License-Identifier: MIT */
/* What --help prints: each topic fits a screen. */
#ifndef TINCAN_CLIENT_HELP_H
#define TINCAN_CLIENT_HELP_H

/* Returns the text for a topic, for NULL the overview; or NULL if there is no such topic. */
const char *help_text(const char *topic);

#endif
