/* Mutations that keep to FITS's 80-byte cards: blind insertions shift every card after them, and nothing behind the gate
 * would ever be reached. */
#ifndef BURST_TESTS_FUZZ_FITS_MUTATE_H
#define BURST_TESTS_FUZZ_FITS_MUTATE_H
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MUTATE_CARD = 80, MUTATE_NUMBER_AT = 10 };

static inline uint32_t mutate_next(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* Change one card, copy one over another, swap two, put a telling number into one, or change some bytes anywhere. */
static inline void mutate_in_place(uint8_t *data, size_t size, uint32_t *state)
{
    static const char *const numbers[] = {"                   0", "                  -1", "          2147483648",
                                          " 9223372036854775807", "               1E400", "                   T",
                                          "'AAAAAAAAAAAAAAAAAA'", "                 1.5"};
    size_t n_card = size / MUTATE_CARD, a = mutate_next(state) % n_card * MUTATE_CARD,
           b = mutate_next(state) % n_card * MUTATE_CARD;
    uint8_t held[MUTATE_CARD];
    memcpy(held, data + a, MUTATE_CARD);
    switch (mutate_next(state) % 5) {
    case 0: (void)LLVMFuzzerMutate(data + a, MUTATE_CARD, MUTATE_CARD); break;
    case 1: memmove(data + b, data + a, MUTATE_CARD); break;
    case 2:
        memmove(data + a, data + b, MUTATE_CARD);
        memcpy(data + b, held, MUTATE_CARD);
        break;
    case 3: memcpy(data + a + MUTATE_NUMBER_AT, numbers[mutate_next(state) % 8], 20); break;
    default:
        for (int i = 0; i < 4; i++)
            data[mutate_next(state) % size] = (uint8_t)mutate_next(state);
    }
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed)
{
    uint32_t state = seed | 1u;
    if (size < 2 * MUTATE_CARD || mutate_next(&state) % 4 == 0) return LLVMFuzzerMutate(data, size, most);
    for (uint32_t i = mutate_next(&state) % 3; i < 3; i++)
        mutate_in_place(data, size, &state);
    return size;
}

/* A property that must hold for whatever was accepted. */
static inline void must(int holds)
{
    if (!holds) abort();
}
#endif
