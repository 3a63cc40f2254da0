/* SPDX-License-Identifier: MIT */
#include "common/frame.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* By first byte: how many bytes follow, and the range of the second (RFC 3629, section 4). */
static const struct {
    unsigned char more, low, high;
} leads[256] = {
    [0xc2 ... 0xdf] = {1, 0x80, 0xbf}, [0xe0] = {2, 0xa0, 0xbf},
    [0xe1 ... 0xec] = {2, 0x80, 0xbf}, [0xed] = {2, 0x80, 0x9f},
    [0xee ... 0xef] = {2, 0x80, 0xbf}, [0xf0] = {3, 0x90, 0xbf},
    [0xf1 ... 0xf3] = {3, 0x80, 0xbf}, [0xf4] = {3, 0x80, 0x8f},
};

#define BLOCK_SIZE 32

/* Returns whether a block is ASCII other than null. In a function of its own, compilers make vector
 * instructions of it. */
/*@
  requires \valid_read(block + (0 .. BLOCK_SIZE - 1));
  assigns \nothing;
*/
static bool is_ascii(const unsigned char *block)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t word, all = 0;

    for (size_t i = 0; i < BLOCK_SIZE; i += sizeof word) {
        memcpy(&word, block + i, sizeof word);
        /* A top bit is set if a byte is above 0x7f, or is null and borrows in the subtraction. */
        all |= (word - ones) | word;
    }
    return !(all & (ones << 7));
}

#ifdef __SSE2__

#define STRETCH_SIZE 128

/* The same for a stretch of several blocks. One less, ASCII other than null is below 0x7f, and all
 * else is not. There are two maxima because one would have to wait for itself. */
static bool is_ascii_stretch(const unsigned char *stretch)
{
    const __m128i one = _mm_set1_epi8(1);
    __m128i even = _mm_setzero_si128(), odd = _mm_setzero_si128();

    for (size_t i = 0; i < STRETCH_SIZE; i += sizeof even + sizeof odd) {
        const __m128i *vectors = (const void *)(stretch + i);

        even = _mm_max_epu8(even, _mm_sub_epi8(_mm_loadu_si128(vectors), one));
        odd = _mm_max_epu8(odd, _mm_sub_epi8(_mm_loadu_si128(vectors + 1), one));
    }
    /* One more, 0x7f has its top bit set; 0xff stays what it is. */
    return !_mm_movemask_epi8(_mm_adds_epu8(_mm_max_epu8(even, odd), one));
}

#endif

/* Returns how many of the `size` bytes at `bytes`, from the first on, are ASCII other than null. */
/*@
  requires \valid_read(bytes + (0 .. size - 1));
  assigns \nothing;
  ensures \result <= size;
*/
static size_t ascii_run(const unsigned char *bytes, size_t size)
{
    size_t run = 0;

    /*@ loop invariant run <= size; loop assigns run; loop variant size - run; */
    while (size - run >= BLOCK_SIZE && is_ascii(bytes + run)) {
        run += BLOCK_SIZE;
#ifdef __SSE2__
        while (size - run >= STRETCH_SIZE && is_ascii_stretch(bytes + run))
            run += STRETCH_SIZE;
#endif
    }
    /*@ loop invariant run <= size; loop assigns run; loop variant size - run; */
    while (run < size && bytes[run] != 0 && bytes[run] < 0x80)
        run++;
    return run;
}

/*@
  // After `byte`, the character needs `pending2` more, the first of them from `low2` to `high2`.
  predicate step(integer pending, integer low, integer high, integer byte,
                 integer pending2, integer low2, integer high2) =
      pending > 0
          ? low <= byte <= high && pending2 == pending - 1 && low2 == 0x80 && high2 == 0xbf
          : (0x01 <= byte <= 0x7f && pending2 == 0) ||
            (0xc2 <= byte <= 0xdf && pending2 == 1 && low2 == 0x80 && high2 == 0xbf) ||
            (byte == 0xe0 && pending2 == 2 && low2 == 0xa0 && high2 == 0xbf) ||
            (0xe1 <= byte <= 0xec && pending2 == 2 && low2 == 0x80 && high2 == 0xbf) ||
            (byte == 0xed && pending2 == 2 && low2 == 0x80 && high2 == 0x9f) ||
            (0xee <= byte <= 0xef && pending2 == 2 && low2 == 0x80 && high2 == 0xbf) ||
            (byte == 0xf0 && pending2 == 3 && low2 == 0x90 && high2 == 0xbf) ||
            (0xf1 <= byte <= 0xf3 && pending2 == 3 && low2 == 0x80 && high2 == 0xbf) ||
            (byte == 0xf4 && pending2 == 3 && low2 == 0x80 && high2 == 0x8f);

  predicate continues(integer pending, integer low, integer high, integer byte) =
      pending > 0 ? low <= byte <= high : 0x01 <= byte <= 0x7f || 0xc2 <= byte <= 0xf4;
*/

/* Takes a byte other than null. Returns whether it is valid after those before it. */
/*@
  requires \valid(frame) && frame_sound(frame) && byte != 0;
  assigns frame->pending, frame->low, frame->high;
  ensures frame_sound(frame);
  ensures \result <==> continues(\old(frame->pending), \old(frame->low), \old(frame->high), byte);
  ensures \result ==> step(\old(frame->pending), \old(frame->low), \old(frame->high), byte,
                            frame->pending, frame->low, frame->high);
  ensures !\result ==> frame->pending == \old(frame->pending) && (frame->pending > 0 ==>
                       frame->low == \old(frame->low) && frame->high == \old(frame->high));
*/
static bool take_byte(struct frame *frame, unsigned char byte)
{
    if (frame->pending == 0) {
        /*@ assert byte < 0xc2 || byte > 0xf4 ==> leads[byte].more == 0; */
        /*@ assert 0xc2 <= byte <= 0xdf ==> leads[byte].more == 1; */
        /*@ assert 0xe0 <= byte <= 0xef ==> leads[byte].more == 2; */
        /*@ assert 0xf0 <= byte <= 0xf4 ==> leads[byte].more == 3; */
        /*@ assert 0xc2 <= byte <= 0xf4 ==>
              leads[byte].low == (byte == 0xe0 ? 0xa0 : byte == 0xf0 ? 0x90 : 0x80); */
        /*@ assert 0xc2 <= byte <= 0xf4 ==>
              leads[byte].high == (byte == 0xed ? 0x9f : byte == 0xf4 ? 0x8f : 0xbf); */
        frame->pending = leads[byte].more;
        frame->low = leads[byte].low;
        frame->high = leads[byte].high;
        return byte < 0x80 || frame->pending > 0;
    }
    if (byte < frame->low || byte > frame->high)
        return false;
    frame->pending--;
    frame->low = 0x80;
    frame->high = 0xbf;
    return true;
}

void frame_init(struct frame *frame, size_t max_bytes)
{
    *frame = (struct frame){.status = FRAME_MORE, .max_bytes = max_bytes};
}

/* Takes the next byte. Returns the status after it; it is counted if that is FRAME_MORE. */
/*@
  requires \valid(frame) && frame_sound(frame);
  assigns frame->length, frame->pending, frame->low, frame->high;
  ensures frame_sound(frame) && FRAME_MORE <= \result <= FRAME_TOO_LONG;
  ensures \result == FRAME_COMPLETE <==> byte == 0 && \old(frame->pending) == 0;
  ensures \result == FRAME_TOO_LONG <==> byte != 0 && \old(frame->length) == frame->max_bytes;
  ensures \result == FRAME_INVALID ==>
    !continues(\old(frame->pending), \old(frame->low), \old(frame->high), byte);
  ensures \result == FRAME_MORE ==> frame->length == \old(frame->length) + 1 &&
    step(\old(frame->pending), \old(frame->low), \old(frame->high), byte,
         frame->pending, frame->low, frame->high);
  ensures \result != FRAME_MORE ==> frame->length == \old(frame->length) &&
    frame->pending == \old(frame->pending) && (frame->pending > 0 ==>
      frame->low == \old(frame->low) && frame->high == \old(frame->high));
*/
static enum frame_status feed_byte(struct frame *frame, unsigned char byte)
{
    if (byte == 0)
        return frame->pending ? FRAME_INVALID : FRAME_COMPLETE;
    if (frame->length == frame->max_bytes)
        return FRAME_TOO_LONG;
    if (!take_byte(frame, byte))
        return FRAME_INVALID;
    frame->length++;
    return FRAME_MORE;
}

/*@
  // A step keeps what must follow for the text to be UTF-8.
  lemma tail_same{L}: \forall integer pending, low, high, unsigned char *s, integer i;
      1 <= pending <= 3 && low <= s[i] <= high ==>
      same_rest(s, pending, low, high, i, pending - 1, 0x80, 0xbf, i + 1);
  lemma goes_on{L}: \forall integer pending, low, high, pending2, low2, high2,
      unsigned char *s, integer i; 1 <= pending <= 3 &&
      step(pending, low, high, s[i], pending2, low2, high2) ==>
      same_rest(s, pending, low, high, i, pending2, low2, high2, i + 1);
  lemma begins_1{L}: \forall integer pending, low, high, pending2, low2, high2,
      unsigned char *s, integer i; pending == 0 && pending2 == 0 &&
      step(pending, low, high, s[i], pending2, low2, high2) ==>
      same_rest(s, pending, low, high, i, pending2, low2, high2, i + 1);
  lemma begins_2{L}: \forall integer pending, low, high, pending2, low2, high2,
      unsigned char *s, integer i; pending == 0 && pending2 == 1 &&
      step(pending, low, high, s[i], pending2, low2, high2) ==>
      same_rest(s, pending, low, high, i, pending2, low2, high2, i + 1);
  lemma begins_3{L}: \forall integer pending, low, high, pending2, low2, high2,
      unsigned char *s, integer i; pending == 0 && pending2 == 2 &&
      step(pending, low, high, s[i], pending2, low2, high2) ==>
      same_rest(s, pending, low, high, i, pending2, low2, high2, i + 1);
  lemma begins_4{L}: \forall integer pending, low, high, pending2, low2, high2,
      unsigned char *s, integer i; pending == 0 && pending2 == 3 &&
      step(pending, low, high, s[i], pending2, low2, high2) ==>
      same_rest(s, pending, low, high, i, pending2, low2, high2, i + 1);
  lemma step_same{L}: \forall integer pending, low, high, pending2, low2, high2,
      unsigned char *s, integer i; 0 <= pending <= 3 &&
      step(pending, low, high, s[i], pending2, low2, high2) ==>
      same_rest(s, pending, low, high, i, pending2, low2, high2, i + 1);

  // A byte that cannot follow is in no text.
  lemma no_step{L}: \forall integer pending, low, high, unsigned char *s, integer i, n;
      0 <= pending <= 3 && i < n && !continues(pending, low, high, s[i]) ==>
      !completes(pending, low, high, s, i, n);
*/

/*
 * The same automaton, for a block of bytes at a time. The row of a byte has the state after it, at
 * the bit that is the number of the state before. So a byte costs a shift, and its row is fetched
 * while those before are still being shifted. What can't follow leads to INVALID, and nothing leads
 * on from there. `make exhaust` compares this with the steps above.
 */
enum {
    INVALID = 0,
    BETWEEN = 6, /* two characters */
    LAST = 12,   /* the last byte of a character follows */
    LAST_TWO = 18,
    LAST_THREE = 24,
    AFTER_E0 = 30,
    AFTER_ED = 36,
    AFTER_F0 = 42,
    AFTER_F4 = 48
};

#define TO(before, after) ((uint64_t)(after) << (before))
#define TAIL              (TO(LAST, BETWEEN) | TO(LAST_TWO, LAST) | TO(LAST_THREE, LAST_TWO))

static const uint64_t rows[256] = {
    [0x01 ... 0x7f] = TO(BETWEEN, BETWEEN),
    [0x80 ... 0x8f] = TAIL | TO(AFTER_ED, LAST) | TO(AFTER_F4, LAST_TWO),
    [0x90 ... 0x9f] = TAIL | TO(AFTER_ED, LAST) | TO(AFTER_F0, LAST_TWO),
    [0xa0 ... 0xbf] = TAIL | TO(AFTER_E0, LAST) | TO(AFTER_F0, LAST_TWO),
    [0xc2 ... 0xdf] = TO(BETWEEN, LAST),
    [0xe0] = TO(BETWEEN, AFTER_E0),
    [0xe1 ... 0xec] = TO(BETWEEN, LAST_TWO),
    [0xed] = TO(BETWEEN, AFTER_ED),
    [0xee ... 0xef] = TO(BETWEEN, LAST_TWO),
    [0xf0] = TO(BETWEEN, AFTER_F0),
    [0xf1 ... 0xf3] = TO(BETWEEN, LAST_THREE),
    [0xf4] = TO(BETWEEN, AFTER_F4),
};

/* Returns the state after a block that begins with a character. */
/*@
  requires \valid_read(block + (0 .. BLOCK_SIZE - 1));
  assigns \nothing;
  // Otherwise the last character begins in the last three bytes.
  ensures assumed: \result == INVALID || \result == BETWEEN ||
    (block[BLOCK_SIZE - 1] & 0xc0) != 0x80 || (block[BLOCK_SIZE - 2] & 0xc0) != 0x80 ||
    (block[BLOCK_SIZE - 3] & 0xc0) != 0x80;
*/
static unsigned state_after(const unsigned char *block)
{
    uint64_t state = BETWEEN;

    /*@
      loop invariant i <= BLOCK_SIZE && i % 4 == 0;
      loop assigns i, state;
      loop variant BLOCK_SIZE - i;
    */
    for (size_t i = 0; i < BLOCK_SIZE; i += 4) { /* four are faster than one */
        state = rows[block[i]] >> (state & 63);
        state = rows[block[i + 1]] >> (state & 63);
        state = rows[block[i + 2]] >> (state & 63);
        state = rows[block[i + 3]] >> (state & 63);
    }
    return state & 63;
}

/* Returns a number of bytes, from the first on, that are whole characters other than null; there
 * may be up to a block more of them. */
/*@
  requires \valid_read(bytes + (0 .. size - 1));
  assigns \nothing;
  ensures \result <= size;
*/
static size_t character_run(const unsigned char *bytes, size_t size)
{
    size_t run = 0;

    /*@ loop invariant run <= size; loop assigns run; loop variant size - run; */
    for (;;) {
        unsigned state;
        run += ascii_run(bytes + run, size - run);
        if (size - run < BLOCK_SIZE || (state = state_after(bytes + run)) == INVALID)
            return run;
        run += BLOCK_SIZE;
        if (state != BETWEEN) /* back to the start of the last character */
            /*@
              loop invariant \at(run, LoopEntry) - 2 <= run <= \at(run, LoopEntry);
              loop invariant \forall integer k; run <= k < \at(run, LoopEntry) ==>
                (bytes[k] & 0xc0) == 0x80;
              loop assigns run;
              loop variant run;
            */
            while ((bytes[--run] & 0xc0) == 0x80)
                ;
    }
}

enum frame_status frame_feed(struct frame *frame, const void *bytes, size_t size)
{
    const unsigned char *next = bytes, *end = next + size;

    /*@
      loop invariant frame_sound(frame) && frame->max_bytes == \at(frame->max_bytes, Pre);
      loop invariant 0 <= next - (unsigned char *)bytes <= size &&
        next == (unsigned char *)bytes + (next - (unsigned char *)bytes);
      loop invariant frame->status == \at(frame->status, Pre) ?
        frame->length - \at(frame->length, Pre) == next - (unsigned char *)bytes :
        frame->length - \at(frame->length, Pre) == next - (unsigned char *)bytes - 1;
      loop invariant frame->status != \at(frame->status, Pre) ==>
        \at(frame->status, Pre) == FRAME_MORE && next - (unsigned char *)bytes >= 1 &&
        (frame->status == FRAME_COMPLETE ==> frame->pending == 0 && *(next - 1) == 0) &&
        (frame->status == FRAME_TOO_LONG ==> frame->length == frame->max_bytes && *(next - 1) != 0);
      loop invariant \at(frame->status, Pre) != FRAME_MORE ==> next == bytes;
      loop assigns next, *frame;
      loop variant end - next;
    */
    while (frame->status == FRAME_MORE && next < end) {
        if (frame->pending == 0) {
            size_t left = (size_t)(end - next), room = frame->max_bytes - frame->length;
            size_t run = character_run(next, left < room ? left : room);
            frame->length += run;
            next += run;
        }
        /*@ assert 0 <= next - (unsigned char *)bytes <= size &&
              next == (unsigned char *)bytes + (next - (unsigned char *)bytes); */
        if (next < end)
            frame->status = feed_byte(frame, *next++);
    }
    return frame->status;
}
