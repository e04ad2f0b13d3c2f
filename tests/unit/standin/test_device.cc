/* What the stand-in's kernels promise: wrong kernels show, right ones do what CUDA says they do. */
#include "check.h"
#include "kernels/bf16.h"
#include "kernels/cuda.h"
#include "tests/standin/standin.h"
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

template <typename T> static T *on_device(size_t n)
{
    void *at = nullptr;
    CHECK_INT(cudaMalloc(&at, n * sizeof(T)), cudaSuccess);
    return static_cast<T *>(at);
}

template <typename T> static std::vector<T> take_back(T *at, size_t n)
{
    std::vector<T> values(n);
    CHECK_INT(cudaMemcpy(values.data(), at, n * sizeof(T), cudaMemcpyDeviceToHost), cudaSuccess);
    CHECK_INT(cudaFree(at), cudaSuccess);
    return values;
}

/* Each thread leaves its number and adds up what its neighbours left. */
static __global__ void neighbours(float *sum, int with_barrier)
{
    __shared__ float number[256];
    number[threadIdx.x] = (float)threadIdx.x;
    if (with_barrier) __syncthreads();
    sum[threadIdx.x] = number[(threadIdx.x + 1) % 256] + number[(threadIdx.x + 64) % 256];
}

static std::vector<float> neighbour_sums(unsigned long long seed, int with_barrier)
{
    float *sum = on_device<float>(256);
    standin_seed(seed);
    CHECK_INT(cuda_launch(neighbours, 1, 256, 0, nullptr, sum, with_barrier), cudaSuccess);
    return take_back(sum, 256);
}

TEST(with_the_barrier_every_seed_gives_the_right_sums)
{
    for (unsigned long long seed = 0; seed < 5; seed++) {
        std::vector<float> got = neighbour_sums(seed, 1);
        for (int i = 0; i < 256; i++)
            CHECK_NEAR(got[(size_t)i], (i + 1) % 256 + (i + 64) % 256, 0);
    }
}

static __global__ void unwritten(float *seen)
{
    __shared__ float shared[64];
    CUDA_DYNAMIC_SHARED(float, dynamic);
    seen[2 * blockIdx.x] = shared[63], seen[2 * blockIdx.x + 1] = dynamic[15];
    shared[63] = dynamic[15] = 1;
}

TEST(shared_memory_begins_as_nan_in_each_block)
{
    float *seen = on_device<float>(6);
    CHECK_INT(cuda_launch(unwritten, 3, 1, 16 * sizeof(float), nullptr, seen), cudaSuccess);
    for (float f : take_back(seen, 6))
        CHECK(isnan(f));
}

static __global__ void order_of_blocks(unsigned *ticket, unsigned *order)
{
    order[atomicAdd(ticket, 1u)] = blockIdx.x;
}

TEST(blocks_come_in_an_order_of_the_seed)
{
    std::vector<unsigned> order[2];
    for (int i = 0; i < 2; i++) {
        unsigned *at = on_device<unsigned>(33);
        CHECK_INT(cudaMemset(at, 0, 33 * sizeof *at), cudaSuccess);
        standin_seed((unsigned long long)i);
        CHECK_INT(cuda_launch(order_of_blocks, 32, 1, 0, nullptr, at, at + 1), cudaSuccess);
        order[i] = take_back(at, 33);
        CHECK_INT(order[i][0], 32);
        unsigned long long seen = 0;
        for (size_t k = 1; k <= 32; k++)
            seen |= 1ull << order[i][k];
        CHECK(seen == 0xffffffffull); /* each once */
    }
    CHECK(order[0] != order[1]);
}

static __global__ void lanes(int *out)
{
    int lane = (int)threadIdx.x % 32, *to = out + threadIdx.x * 6;
    int ten = lane * 10;
    to[0] = __shfl_sync(0xffffffffu, ten, lane + 3);
    to[1] = __shfl_down_sync(0xffffffffu, ten, 8);
    to[2] = __shfl_up_sync(0xffffffffu, ten, 1, 16);
    to[3] = __shfl_xor_sync(0xffffffffu, ten, 5);
    to[4] = (int)__ballot_sync(0xffffffffu, lane % 3 == 0);
    to[5] = lane < 8 ? (int)__reduce_add_sync(0xffu, (unsigned)lane) : -1;
    __syncwarp();
}

/* The expected numbers follow the CUDA C++ Programming Guide, "Warp Shuffle Functions". */
TEST(lanes_exchange_as_the_programming_guide_says)
{
    int *out = on_device<int>(64 * 6);
    CHECK_INT(cuda_launch(lanes, 1, 64, 0, nullptr, out), cudaSuccess);
    std::vector<int> got = take_back(out, 64 * 6);
    for (int t = 0; t < 64; t++) {
        int lane = t % 32, *at = got.data() + t * 6;
        CHECK_INT(at[0], (lane + 3) % 32 * 10);
        CHECK_INT(at[1], (lane < 24 ? lane + 8 : lane) * 10);
        CHECK_INT(at[2], (lane % 16 ? lane - 1 : lane) * 10);
        CHECK_INT(at[3], (lane ^ 5) * 10);
        CHECK_INT(at[4], 0x49249249);
        CHECK_INT(at[5], lane < 8 ? 28 : -1);
    }
}

static __global__ void votes(int *out)
{
    int odd = (int)threadIdx.x & 1;
    int n = __syncthreads_count(odd), all = __syncthreads_and(odd), any = __syncthreads_or(odd);
    if (threadIdx.x == 37) out[0] = n, out[1] = all, out[2] = any;
}

TEST(barriers_count_votes)
{
    int *out = on_device<int>(3);
    CHECK_INT(cuda_launch(votes, 1, dim3(10, 2, 5), 0, nullptr, out), cudaSuccess); /* threads with x = 37: none */
    CHECK_INT(cuda_launch(votes, 1, 100, 0, nullptr, out), cudaSuccess);
    std::vector<int> got = take_back(out, 3);
    CHECK_INT(got[0], 50);
    CHECK_INT(got[1], 0);
    CHECK_INT(got[2], 1);
}

static __global__ void places(unsigned *out)
{
    unsigned block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
    unsigned thread = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
    out[block * (blockDim.x * blockDim.y * blockDim.z) + thread] = block * 1000 + thread;
}

TEST(every_thread_of_every_block_runs_once)
{
    unsigned *out = on_device<unsigned>(24 * 30);
    CHECK_INT(cuda_launch(places, dim3(2, 3, 4), dim3(5, 3, 2), 0, nullptr, out), cudaSuccess);
    std::vector<unsigned> got = take_back(out, 24 * 30);
    for (unsigned i = 0; i < 24 * 30; i++)
        CHECK_INT(got[i], i / 30 * 1000 + i % 30);
}

/* ---- wrong kernels end the program, saying which ---- */

static __global__ void half_a_barrier(int *)
{
    if (threadIdx.x < 16) __syncthreads();
}

static __global__ void two_barriers(int *)
{
    if (threadIdx.x < 32)
        __syncthreads();
    else
        __syncthreads();
}

static __global__ void missing_lanes(int *out)
{
    if (threadIdx.x != 7) out[threadIdx.x] = __shfl_sync(0xffffffffu, 1, 0);
}

static __global__ void writes_past(int *out)
{
    out[32 + threadIdx.x] = 1;
}

static int launch_and_wait(void (*kernel)(int *))
{
    void *at = nullptr;
    int error = cudaMalloc(&at, 32 * sizeof(int));
    error |= cuda_launch(kernel, 1, 64, 0, nullptr, static_cast<int *>(at));
    return error | cudaDeviceSynchronize() | cudaFree(at);
}

/* Run it in a process of its own; what it said before it ended by a signal, or "" where it did not. */
static void end_of(void (*kernel)(int *), char *ret_said, size_t size)
{
    int fd[2];
    ret_said[0] = 0;
    CHECK(pipe(fd) == 0);
    pid_t child = fork();
    if (!child) {
        (void)dup2(fd[1], 2);
        (void)launch_and_wait(kernel);
        exit(0); /* not _exit: a sanitizer answers at the exit */
    }
    (void)close(fd[1]);
    size_t n = 0;
    for (ssize_t got; n < size - 1 && (got = read(fd[0], ret_said + n, size - 1 - n)) > 0;)
        n += (size_t)got;
    ret_said[n] = 0;
    (void)close(fd[0]);
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) ret_said[0] = 0;
}

/* Before any thread of a stream is made: a child has none of them. */
TEST(wrong_kernels_end_the_program_with_a_sentence)
{
    char said[4096];
    end_of(half_a_barrier, said, sizeof said);
    CHECK(strstr(said, "48 of 64 threads have ended while thread"));
    end_of(two_barriers, said, sizeof said);
    CHECK(strstr(said, "wait at different barriers"));
    end_of(missing_lanes, said, sizeof said);
    CHECK(strstr(said, "for lanes that do not come"));
    end_of(writes_past, said, sizeof said);
    CHECK(strstr(said, "written past the end of device memory"));
}

#ifdef __SANITIZE_THREAD__
static __global__ void lacks_a_barrier(int *out)
{
    __shared__ int number[64];
    number[threadIdx.x] = (int)threadIdx.x;
    if (threadIdx.x < 32) out[threadIdx.x] = number[threadIdx.x + 32];
}

static __global__ void has_a_barrier(int *out)
{
    __shared__ int number[64];
    number[threadIdx.x] = (int)threadIdx.x;
    __syncthreads();
    if (threadIdx.x < 32) out[threadIdx.x] = number[threadIdx.x + 32];
}

TEST(thread_sanitizer_finds_a_missing_barrier)
{
    static char said[1 << 16];
    end_of(lacks_a_barrier, said, sizeof said);
    CHECK(strstr(said, "data race"));
    CHECK(strstr(said, "lacks_a_barrier"));
    end_of(has_a_barrier, said, sizeof said);
    CHECK_STR(said, "");
}
#else
TEST(a_missing_barrier_changes_the_result_with_the_seed)
{
    std::vector<float> one = neighbour_sums(1, 0), two = neighbour_sums(2, 0);
    CHECK(memcmp(one.data(), two.data(), 256 * sizeof(float)) != 0);
    int n_wrong = 0;
    for (int i = 0; i < 256; i++)
        n_wrong += !(one[(size_t)i] == (float)((i + 1) % 256 + (i + 64) % 256));
    CHECK(n_wrong > 0);
}
#endif

TEST(bfloat16_rounds_to_nearest_even)
{
    CHECK_INT(bf16_from_float(1.0f), 0x3f80);
    CHECK_INT(bf16_from_float(1.00390625f), 0x3f80); /* 1 + 2^-8: halfway, down to the even one */
    CHECK_INT(bf16_from_float(1.01171875f), 0x3f82); /* 1 + 3 * 2^-8: halfway, up to the even one */
    CHECK_INT(bf16_from_float(1.00390637f), 0x3f81);
    CHECK_INT(bf16_from_float(-3.4028235e38f), 0xff80); /* past the largest */
    CHECK_INT(bf16_from_float(INFINITY), 0x7f80);
    CHECK_INT(bf16_from_float(-0.0f), 0x8000);
    CHECK_INT(bf16_from_float(NAN) & 0x7fc0, 0x7fc0);
    CHECK_NEAR(bf16_to_float(0x4049), 3.140625, 0);
    CHECK_NEAR(bf16_round(0.1f), 0.10009765625, 0);
}

TEST(nothing_is_left)
{
    CHECK_INT(standin_live(nullptr), 0);
}

int main(void)
{
    RUN(wrong_kernels_end_the_program_with_a_sentence);
#ifdef __SANITIZE_THREAD__
    RUN(thread_sanitizer_finds_a_missing_barrier);
#else
    RUN(a_missing_barrier_changes_the_result_with_the_seed);
#endif
    RUN(with_the_barrier_every_seed_gives_the_right_sums);
    RUN(shared_memory_begins_as_nan_in_each_block);
    RUN(blocks_come_in_an_order_of_the_seed);
    RUN(lanes_exchange_as_the_programming_guide_says);
    RUN(barriers_count_votes);
    RUN(every_thread_of_every_block_runs_once);
    RUN(bfloat16_rounds_to_nearest_even);
    RUN(nothing_is_left);
    return check_report();
}
