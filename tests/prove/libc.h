/* SPDX-License-Identifier: MIT */
/*
 * What `make prove` assumes of the C library, beyond the contracts that come with Frama-C. The
 * programs do not include this.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/*@
  // For literals, which provers would not go through.
  lemma string_3{L}: \forall char *s; \valid_read(s + (0 .. 3)) && s[0] != '\0' && s[1] != '\0' &&
      s[2] != '\0' && s[3] == '\0' ==> valid_read_string(s) && strlen(s) == 3;
  lemma string_5{L}: \forall char *s; \valid_read(s + (0 .. 5)) && s[0] != '\0' && s[1] != '\0' &&
      s[2] != '\0' && s[3] != '\0' && s[4] != '\0' && s[5] == '\0' ==>
      valid_read_string(s) && strlen(s) == 5;
  lemma string_7{L}: \forall char *s; \valid_read(s + (0 .. 7)) && s[0] != '\0' && s[1] != '\0' &&
      s[2] != '\0' && s[3] != '\0' && s[4] != '\0' && s[5] != '\0' && s[6] != '\0' &&
      s[7] == '\0' ==> valid_read_string(s) && strlen(s) == 7;
*/

/* The arguments are what the format takes, which compilers check, and no conversion fails. */
/*@
  requires valid_read_string(format) && n >= 1 && \valid(s + (0 .. n - 1));
  assigns s[0 .. n - 1], \result \from format[..], arg;
  ensures assumed_succeeds: \result >= 0;
  ensures assumed_ends: \result < n ==> s[\result] == '\0';
  ensures assumed_cut: \result >= n ==> s[n - 1] == '\0';
*/
int vsnprintf(char *restrict s, size_t n, const char *restrict format, va_list arg);
