/* SPDX-License-Identifier: MIT */
/*
 * What UTF-8 is, in ACSL, for the contracts of common/ and their proof (`make prove`). The programs
 * do not include this. Byte by byte from RFC 3629, section 4, without U+0000; the decoder's own
 * table is not used.
 */
/*@
  predicate tail(integer byte) = 0x80 <= byte <= 0xbf;

  // s[i] begins a character of one, two, three or four bytes.
  predicate utf8_1{L}(unsigned char *s, integer i) = 0x01 <= s[i] <= 0x7f;
  predicate utf8_2{L}(unsigned char *s, integer i) = 0xc2 <= s[i] <= 0xdf && tail(s[i + 1]);
  predicate utf8_3{L}(unsigned char *s, integer i) = tail(s[i + 2]) &&
      ((s[i] == 0xe0 && 0xa0 <= s[i + 1] <= 0xbf) || (0xe1 <= s[i] <= 0xec && tail(s[i + 1])) ||
       (s[i] == 0xed && 0x80 <= s[i + 1] <= 0x9f) || (0xee <= s[i] <= 0xef && tail(s[i + 1])));
  predicate utf8_4{L}(unsigned char *s, integer i) = tail(s[i + 2]) && tail(s[i + 3]) &&
      ((s[i] == 0xf0 && 0x90 <= s[i + 1] <= 0xbf) || (0xf1 <= s[i] <= 0xf3 && tail(s[i + 1])) ||
       (s[i] == 0xf4 && 0x80 <= s[i + 1] <= 0x8f));

  // The bytes from s[i] to before s[n] are zero or more characters.
  predicate utf8{L}(unsigned char *s, integer i, integer n) = i == n ||
      (i + 1 <= n && utf8_1(s, i) && utf8(s, i + 1, n)) ||
      (i + 2 <= n && utf8_2(s, i) && utf8(s, i + 2, n)) ||
      (i + 3 <= n && utf8_3(s, i) && utf8(s, i + 3, n)) ||
      (i + 4 <= n && utf8_4(s, i) && utf8(s, i + 4, n));

  // They are the `pending` bytes that end a character, the first of them from `low` to `high`, and
  // zero or more characters.
  predicate completes{L}(integer pending, integer low, integer high,
                         unsigned char *s, integer i, integer n) =
      i + pending <= n && utf8(s, i + pending, n) && (pending >= 1 ==> low <= s[i] <= high) &&
      (pending >= 2 ==> tail(s[i + 1])) && (pending >= 3 ==> tail(s[i + 2]));

  // Whatever is behind: from s[i] on it completes the first character if from s[k] on it completes
  // the second.
  predicate same_rest{L}(unsigned char *s, integer pending, integer low, integer high, integer i,
                         integer pending2, integer low2, integer high2, integer k) =
      \forall integer n; n >= k ==> (completes(pending, low, high, s, i, n) <==>
                                     completes(pending2, low2, high2, s, k, n));
*/
