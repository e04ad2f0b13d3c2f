/* The median of a bag of counts that bins enter and leave one by one. */
#ifndef BURST_TRAIN_MEDIAN_H
#define BURST_TRAIN_MEDIAN_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How many of each value; `at` follows the lower middle value, so a step costs as far as the median moves. One thread. */
struct median {
    uint16_t *count; /* [most + 1] */
    size_t n, below; /* how many in all, and how many are less than `at` */
    uint32_t at, most;
};

/* An empty bag for values 0..most, of at most 65,535 members. False: no memory, and *m is zeros. */
bool median_init(struct median *m, uint32_t most);
/* Accepts a bag of zeros. */
void median_fini(struct median *m);
/* value <= most. */
void median_add(struct median *m, uint32_t value);
/* A value that is in the bag. */
void median_remove(struct median *m, uint32_t value);
/* The middle value, or the mean of the two; 0 of an empty bag. */
double median_value(struct median *m);
#endif
