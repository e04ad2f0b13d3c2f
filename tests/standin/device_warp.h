/* What the 32 lanes of a warp do together. Included by device.h only. The sixteen-by-eight products of the tensor cores
 * (kernels/mma.h) are made of standin_collective or standin_warp_exchange. */
#ifndef BURST_STANDIN_DEVICE_WARP_H
#define BURST_STANDIN_DEVICE_WARP_H

/* The lane's number in its warp: threads are counted x first, then y, then z. */
static inline int standin_lane(void)
{
    return (int)((threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z)) % 32u);
}

struct standin_deposit {
    const void *mine;
    size_t size;
    unsigned char *all;
};
static inline void standin_share(void *const lane[32], unsigned mask)
{
    for (unsigned i = 0; i < 32; i++)
        for (unsigned from = 0; lane[i] && from < 32; from++) {
            struct standin_deposit *to = static_cast<struct standin_deposit *>(lane[i]);
            if (mask >> from & 1u)
                memcpy(to->all + from * to->size, static_cast<const struct standin_deposit *>(lane[from])->mine,
                       to->size);
            else
                memset(to->all + from * to->size, 0xff, to->size);
        }
}
/* Each lane of mask shows `size` bytes and sees those of all: ret_all [32][size], 0xff where a lane is not in mask. */
static inline void standin_warp_exchange(unsigned mask, const void *mine, size_t size, void *ret_all, STANDIN_PLACE)
{
    struct standin_deposit deposit = {mine, size, static_cast<unsigned char *>(ret_all)};
    standin_collective(mask, standin_share, &deposit, {file, line});
}

static inline void standin_meet(void *const[32], unsigned)
{
}
static inline void __syncwarp(unsigned mask = 0xffffffffu, STANDIN_PLACE)
{
    standin_collective(mask, standin_meet, nullptr, {file, line});
}

/* One lane's part in a shuffle. A value read from a lane that takes no part is not defined: here it is all ones. */
template <typename T> struct standin_shuffled {
    T value;
    int from;
};
template <typename T> static inline void standin_shuffle_op(void *const lane[32], unsigned mask)
{
    T value[32];
    memset(static_cast<void *>(value), 0xff, sizeof value);
    for (int i = 0; i < 32; i++)
        if (lane[i]) value[i] = static_cast<const struct standin_shuffled<T> *>(lane[i])->value;
    for (int i = 0; i < 32; i++)
        if (mask >> i & 1u) {
            struct standin_shuffled<T> *s = static_cast<struct standin_shuffled<T> *>(lane[i]);
            s->value = value[s->from];
        }
}
template <typename T> static inline T standin_shuffle(unsigned mask, T value, int from, struct standin_place place)
{
    struct standin_shuffled<T> mine = {
        value, from
    };
    standin_collective(mask, standin_shuffle_op<T>, &mine, place);
    return mine.value;
}
/* The lane to read when lane `from` of the segment of `width` around `lane` is asked for, or `lane` where that is outside. */
static inline int standin_within(int lane, int from, int width)
{
    return from / width == lane / width && from >= 0 ? from : lane;
}
template <typename T> static inline T __shfl_sync(unsigned mask, T value, int from, int width = 32, STANDIN_PLACE)
{
    int lane = standin_lane();
    return standin_shuffle(mask, value, lane / width * width + (from & (width - 1)), {file, line});
}
template <typename T>
static inline T __shfl_down_sync(unsigned mask, T value, unsigned by, int width = 32, STANDIN_PLACE)
{
    int lane = standin_lane();
    return standin_shuffle(mask, value, standin_within(lane, lane + (int)by, width), {file, line});
}
template <typename T> static inline T __shfl_up_sync(unsigned mask, T value, unsigned by, int width = 32, STANDIN_PLACE)
{
    int lane = standin_lane();
    return standin_shuffle(mask, value, standin_within(lane, lane - (int)by, width), {file, line});
}
template <typename T> static inline T __shfl_xor_sync(unsigned mask, T value, int bits, int width = 32, STANDIN_PLACE)
{
    int lane = standin_lane(), from = lane ^ bits;
    return standin_shuffle(mask, value, from / width <= lane / width ? from : lane, {file, line});
}

static inline void standin_ballot_op(void *const lane[32], unsigned)
{
    unsigned votes = 0;
    for (unsigned i = 0; i < 32; i++)
        if (lane[i] && *static_cast<const unsigned *>(lane[i])) votes |= 1u << i;
    for (unsigned i = 0; i < 32; i++)
        if (lane[i]) *static_cast<unsigned *>(lane[i]) = votes;
}
static inline unsigned __ballot_sync(unsigned mask, int predicate, STANDIN_PLACE)
{
    unsigned vote = predicate != 0;
    standin_collective(mask, standin_ballot_op, &vote, {file, line});
    return vote;
}
static inline int __any_sync(unsigned mask, int predicate, STANDIN_PLACE)
{
    return __ballot_sync(mask, predicate, file, line) != 0;
}
static inline int __all_sync(unsigned mask, int predicate, STANDIN_PLACE)
{
    return __ballot_sync(mask, predicate, file, line) == mask;
}
static inline unsigned __reduce_add_sync(unsigned mask, unsigned value, STANDIN_PLACE)
{
    unsigned all[32], sum = 0;
    standin_warp_exchange(mask, &value, sizeof value, all, file, line);
    for (unsigned i = 0; i < 32; i++)
        sum += mask >> i & 1u ? all[i] : 0;
    return sum;
}
#endif
