/* CUDA's arithmetic words, atomics and loads for the stand-in. Included by device.h only. */
#ifndef BURST_STANDIN_DEVICE_MATH_H
#define BURST_STANDIN_DEVICE_MATH_H

#define STANDIN_MIN_MAX(T)                                                                                             \
    static inline T min(T a, T b)                                                                                      \
    {                                                                                                                  \
        return b < a ? b : a;                                                                                          \
    }                                                                                                                  \
    static inline T max(T a, T b)                                                                                      \
    {                                                                                                                  \
        return a < b ? b : a;                                                                                          \
    }
STANDIN_MIN_MAX(int)
STANDIN_MIN_MAX(unsigned)
STANDIN_MIN_MAX(long)
STANDIN_MIN_MAX(unsigned long)
STANDIN_MIN_MAX(long long)
STANDIN_MIN_MAX(unsigned long long)
#undef STANDIN_MIN_MAX
static inline float min(float a, float b)
{
    return fminf(a, b);
}
static inline float max(float a, float b)
{
    return fmaxf(a, b);
}
static inline double min(double a, double b)
{
    return fmin(a, b);
}
static inline double max(double a, double b)
{
    return fmax(a, b);
}

template <typename To, typename From> static inline To standin_bits(From from)
{
    static_assert(sizeof(To) == sizeof(From), "bits of another size");
    To to;
    memcpy(&to, &from, sizeof to);
    return to;
}
#define STANDIN_BITS(name, To, From)                                                                                   \
    static inline To name(From x)                                                                                      \
    {                                                                                                                  \
        return standin_bits<To>(x);                                                                                    \
    }
STANDIN_BITS(__float_as_uint, unsigned, float)
STANDIN_BITS(__float_as_int, int, float)
STANDIN_BITS(__uint_as_float, float, unsigned)
STANDIN_BITS(__int_as_float, float, int)
STANDIN_BITS(__double_as_longlong, long long, double)
STANDIN_BITS(__longlong_as_double, double, long long)
#undef STANDIN_BITS

/* Rounded once, to nearest: what the file's -ffp-contract=off makes of the plain operator anyway. */
#define STANDIN_ROUNDED(name, T, expression)                                                                           \
    static inline T name(T a, T b)                                                                                     \
    {                                                                                                                  \
        return expression;                                                                                             \
    }
STANDIN_ROUNDED(__fadd_rn, float, a + b)
STANDIN_ROUNDED(__fsub_rn, float, a - b)
STANDIN_ROUNDED(__fmul_rn, float, a *b)
STANDIN_ROUNDED(__fdiv_rn, float, a / b)
STANDIN_ROUNDED(__dadd_rn, double, a + b)
STANDIN_ROUNDED(__dsub_rn, double, a - b)
STANDIN_ROUNDED(__dmul_rn, double, a *b)
STANDIN_ROUNDED(__ddiv_rn, double, a / b)
#undef STANDIN_ROUNDED
static inline float __fmaf_rn(float a, float b, float c)
{
    return fmaf(a, b, c);
}
static inline double __fma_rn(double a, double b, double c)
{
    return fma(a, b, c);
}
static inline float __fsqrt_rn(float x)
{
    return sqrtf(x);
}
static inline float rsqrtf(float x)
{
    return 1.0f / sqrtf(x);
}
#define __expf(x) expf(x) /* glibc has the name for itself */
static inline float __saturatef(float x)
{
    return fminf(fmaxf(x, 0.0f), 1.0f);
}
static inline int __popc(unsigned x)
{
    return __builtin_popcount(x);
}
static inline int __clz(int x)
{
    return x ? __builtin_clz((unsigned)x) : 32;
}
static inline int __ffs(int x)
{
    return __builtin_ffs(x);
}

template <typename T> static inline T __ldg(const T *at)
{
    return *at;
}

template <typename T, typename F> static inline T standin_atomic(T *at, F f)
{
    typedef typename std::conditional<sizeof(T) == 4, uint32_t, uint64_t>::type bits;
    static_assert(sizeof(T) == sizeof(bits), "an atomic of 4 or 8 bytes");
    bits *word = reinterpret_cast<bits *>(at);
    bits old = __atomic_load_n(word, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(word, &old, standin_bits<bits>(f(standin_bits<T>(old))), false,
                                        __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
    return standin_bits<T>(old);
}
#define STANDIN_ATOMIC(name, T, expression)                                                                            \
    static inline T name(T *at, T by)                                                                                  \
    {                                                                                                                  \
        return standin_atomic(at, [by](T was) -> T { return expression; });                                            \
    }
#define STANDIN_ATOMICS(T)                                                                                             \
    STANDIN_ATOMIC(atomicExch, T, ((void)was, by))                                                                     \
    STANDIN_ATOMIC(atomicMin, T, by < was ? by : was)                                                                  \
    STANDIN_ATOMIC(atomicMax, T, was < by ? by : was)                                                                  \
    STANDIN_ATOMIC(atomicAnd, T, was &by)                                                                              \
    STANDIN_ATOMIC(atomicOr, T, was | by)                                                                              \
    static inline T atomicCAS(T *at, T expected, T value)                                                              \
    {                                                                                                                  \
        return standin_atomic(at, [=](T was) -> T { return was == expected ? value : was; });                          \
    }
STANDIN_ATOMIC(atomicAdd, int, (int)((unsigned)was + (unsigned)by))
STANDIN_ATOMIC(atomicAdd, unsigned, was + by)
STANDIN_ATOMIC(atomicAdd, unsigned long long, was + by)
STANDIN_ATOMIC(atomicAdd, float, was + by)
STANDIN_ATOMIC(atomicAdd, double, was + by)
STANDIN_ATOMICS(int)
STANDIN_ATOMICS(unsigned)
STANDIN_ATOMICS(unsigned long long)
#undef STANDIN_ATOMIC
#undef STANDIN_ATOMICS
static inline float atomicExch(float *at, float by)
{
    return standin_atomic(at, [by](float) { return by; });
}
#endif
