/* cuda: networks on an NVIDIA GPU. Convolutions are cuDNN's, what lies between them is ours (kernels/X_cuda.h); a compiled
 * network is a few CUDA graphs, one for each size of batch, and running it launches one of them and looks at one number in
 * host memory. Linked into burst-cuda only: burstd knows no CUDA.
 *
 * One engine is one stream and belongs to one thread: the one that opened it. Several engines (lanes) may share a device.
 * Errors of the device have the code BURST_E_DEVICE, the name of the call and the library's words: "cudaMalloc: out of
 * memory (2)". After some of them nothing that this process asks of the device can be right again: cuda_is_dead. */
#ifndef BURST_NET_CUDA_H
#define BURST_NET_CUDA_H
#include "net/backend.h"

/* What convolutions and activations between them are computed in. Dense heads, means and results are float throughout. */
enum cuda_precision {
    CUDA_FP32, /* float, with TF32 forbidden */
    CUDA_TF32, /* float in memory; products may take the 10-bit mantissa of the tensor cores */
    CUDA_BF16, /* bfloat16 in memory, sums in float */
    CUDA_PRECISION_N
};
/* "fp32", "tf32", "bf16". BURST_E_RANGE names the words allowed; *ret untouched. */
enum burst_err cuda_precision_parse(const char *word, enum cuda_precision *ret, struct burst_error *reterr);
const char *cuda_precision_name(enum cuda_precision precision);

struct cuda_settings {
    int device;
    enum cuda_precision precision;
    bool background;          /* the stream of lowest priority, not of highest */
    const char *cache_folder; /* where the choice of cuDNN's engines is kept; NULL: timed anew by each process */
    bool
        tune; /* time anew, and what takes minutes as well: our own kernels, engines that cuDNN has to compile. A choice that
                * cannot be kept is then an error, BURST_E_IO */
    void (*progress)(void *context, int done, int all); /* after each shape that was timed or looked up; may be NULL */
    void *context;                                      /* of progress */
    int64_t patience_ns;                                /* how long net_run and net_read wait for the device; 0: 10 s */
    int engine_most; /* cuDNN engines tried for each shape, the most promising first; 0: 16 */
};

struct cuda_engine;

/* Open a device for the calling thread.
 *
 * Given     settings  NULL: all zeros; cache_folder is copied
 * Errors    BURST_E_UNSUPPORTED  no device, or no driver that this CUDA can use: the text says which
 *           BURST_E_DEVICE       anything else that CUDA or cuDNN refuse;  BURST_E_NOMEM; *ret untouched */
enum burst_err cuda_open(const struct cuda_settings *settings, struct cuda_engine **ret, struct burst_error *reterr);
/* After every network and entry made with it; NULL is accepted. */
void cuda_close(struct cuda_engine *engine);

struct cuda_device_facts {
    char name[256];
    int sm;              /* 90 for compute capability 9.0 */
    int driver, runtime; /* 13000 for 13.0 */
    int cudnn;           /* 91900 for 9.19.0 */
    int n_multiprocessor;
    size_t memory_bytes;
    enum cuda_precision precision;
};
void cuda_describe(const struct cuda_engine *engine, struct cuda_device_facts *ret);

/* Has an error been met after which only a new process can use the device? (Answer, then end.) A missed deadline counts:
 * whoever waited does not know what the device still does. */
bool cuda_is_dead(const struct cuda_engine *engine);
/* The engine's cudaStream_t. */
void *cuda_stream(const struct cuda_engine *engine);

/* For fronts: memory that goes with the engine unless it is given back.
 * cuda_take: device memory, all zeros. cuda_map: makes `bytes` of the caller's memory readable and writable by kernels, at
 * *ret_device; it must stay where it is until cuda_unmap, which takes the host's address.
 * Errors    BURST_E_DEVICE, BURST_E_NOMEM; *ret untouched */
enum burst_err cuda_take(struct cuda_engine *engine, size_t bytes, void **ret_device, struct burst_error *reterr);
void cuda_give_back(struct cuda_engine *engine, void *device);
enum burst_err cuda_map(struct cuda_engine *engine, void *host, size_t bytes, void **ret_device,
                        struct burst_error *reterr);
void cuda_unmap(struct cuda_engine *engine, void *host);
/* For fronts: name the cudaError_t of a call or of a kernel's launch, 0 being good. A bad one is remembered: cuda_is_dead. */
enum burst_err cuda_check(struct cuda_engine *engine, int error, const char *call, struct burst_error *reterr);

/* net_settings.with = &net_backend_cuda, net_settings.engine = a struct cuda_engine. (Without an engine: device 0, fp32.)
 * A network with a step that has no kernel is refused with BURST_E_UNSUPPORTED and the step's name. */
extern const struct net_backend net_backend_cuda;

/* What was odd while a network was compiled, for the log: engines that gave wrong answers, a file that could not be written.
 * NULL past the last. Given  code  net_code() of the network */
const char *cuda_remark(const void *code, int i);

/* ---- entries: the same network with another front (what fills its first tensor) and its own results ---- */

/* A network's first tensor, in device memory: [n][height][width][n_padded], height 1 in one dimension. Channels from
 * n_channel on must be written too, as zeros. */
struct cuda_tensor {
    void *at;
    bool bf16; /* elements are uint16_t, kernels/bf16.h; else float */
    int64_t n_channel, n_padded, size[2];
};

/* What fills it. `queue` puts kernels for rows 0..n-1 on `stream`, a cudaStream_t that is being captured, and does nothing
 * else; it is called once for each size of batch while the entry is made, never when it runs. A graph freezes the kernels'
 * arguments, so whatever changes from job to job is read from memory at a fixed address (cuda_map). The rows of a job may be
 * fewer than n: the surplus is computed and never read, and must merely be harmless. */
struct cuda_front {
    enum burst_err (*queue)(void *context, const struct cuda_tensor *to, int n, void *stream,
                            struct burst_error *reterr);
    void *context;
};

struct cuda_entry;

/* Capture, instantiate and upload one CUDA graph for each of 1, 2, 4, 8, 16, 25, 32, 64, 256 below the network's batch, and
 * one for that batch.
 *
 * Given     code      net_code() of a network with one input and one output, opened with net_backend_cuda
 *           front     NULL: rows of floats, which the caller puts at cuda_entry_rows()
 *           cam_class  the output whose Grad-CAM (lib/infer/infer.h) is made beside the answers; -1: none
 * Errors    BURST_E_UNSUPPORTED  several inputs or outputs; a front for a network whose input is no image or sequence;
 *                                a cam where the network does not end in pooling and dense layers
 *           BURST_E_DEVICE, BURST_E_NOMEM, what the front gives; *ret untouched
 * Notes     To be freed before the network is closed. The entries of one network share its buffers: one runs at a time. */
enum burst_err cuda_entry_new(void *code, const struct cuda_front *front, int cam_class, struct cuda_entry **ret,
                              struct burst_error *reterr);
void cuda_entry_free(struct cuda_entry *entry);
/* Pinned memory for the rows of the next run, [batch][elements of one input sample] row-major; NULL with a front. */
float *cuda_entry_rows(const struct cuda_entry *entry);

/* Run n samples: one graph launch, then a look at a number in host memory until it says that the answers are there.
 *
 * Given     n            1 .. the network's batch
 *           deadline_ns  clock_mono_ns() until which to wait
 *           ret_cam      may be NULL; not NULL only where the entry makes one
 * Returned  ret_output [n][elements of one output sample]; ret_cam [n][positions of the last feature map]
 * Errors    BURST_E_SHAPE    n outside that range;  BURST_E_TIMEOUT  the deadline was missed
 *           BURST_E_DEVICE   the launch or an earlier kernel failed; outputs untouched
 *           BURST_E_STATE    the engine is dead already */
enum burst_err cuda_entry_run(struct cuda_entry *entry, int n, float *ret_output, float *ret_cam, int64_t deadline_ns,
                              struct burst_error *reterr);
#endif
