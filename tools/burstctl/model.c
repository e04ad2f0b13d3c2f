/* burstctl model: its command line, and what a model is and whether it keeps its golden vectors. */
#include "model.h"
#include "model_cuda.h"
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { BATCH = 8, IMPLEMENTATION_TEXT = 160, TEXT_SHOWN = 300 };
#define TOLERANCE 1e-4 /* plain, cpu and PyTorch agree so far on float32 networks of the sizes shipped */

static const char HELP[] =
    "usage: burstctl model info  FILE.onnx|FOLDER [--backend B]\n"
    "       burstctl model check FILE.onnx|FOLDER [--backend B] [--tolerance T]\n"
    "       burstctl model run   FILE.onnx|FOLDER [--backend B] --input IN.pb ... [--output OUT.pb ...]\n"
    "\n"
    "info   what the model is: inputs, outputs, metadata, and every step with its shape, parameters, multiplications\n"
    "       and the implementation that runs it\n"
    "check  the model against the golden vectors beside it (test_data_set_N/input_0.pb, output_0.pb), on plain and "
    "cpu,\n"
    "       or on the backend that is named; exit status 3 when one is out of tolerance\n"
    "run    the model on ONNX TensorProto files: one --input for each of its inputs, in its order; answers are "
    "written\n"
    "       to the --output files, in the model's order, or shown where there are none\n"
    "\n"
    "  --backend auto|cuda|cpu|plain  what runs it (info, run: auto, the fastest of this process; check: plain and "
    "cpu);\n"
    "                                 cuda asks burst-cuda, which is started where none runs\n"
    "  --config FILE                  burstd.yaml whose keys gpu.* say where burst-cuda is and how it computes\n"
    "  --tolerance T                  most |answer - golden| / max(1, |golden|) (default 0.0001; with gpu.precision\n"
    "                                 tf32 0.02, bf16 0.1)\n"
    "  --input FILE                   may be given several times, as may --output\n"
    "\n"
    "Exit status: 0 done, 1 input refused, 2 usage, 3 model refused or out of tolerance, 4 a file cannot be read or "
    "written.\n";

int tell_model(const struct burst_error *error)
{
    (void)fprintf(stderr, "burstctl model: %s\n", clean(error->text)); /* nowhere else to say it */
    return error->code == BURST_E_IO ? EXIT_IO : EXIT_CONFIG;
}

/* ---- info ---- */

/* 1060034 as "1,060,034". Static storage, good for the next three calls. */
static const char *grouped(int64_t n)
{
    static char kept[4][32];
    static int next;
    char digits[32], *out = kept[next = (next + 1) % 4];
    int length = snprintf(digits, sizeof digits, "%" PRId64, n), at = 0;
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0 && digits[i - 1] != '-') out[at++] = ',';
        out[at++] = digits[i];
    }
    out[at] = 0;
    return out;
}

static void print_port(const char *what, const struct net_port *port)
{
    char dims[DIMS_TEXT];
    dims_text(&port->dims, port->batched, dims);
    printf("  %-12s%s %s\n", what, clean(port->name), dims);
}

static void print_metadata(const struct net *net)
{
    if (net_n_meta(net) > 0) printf("\nmetadata\n");
    for (int i = 0; i < net_n_meta(net); i++) {
        const char *key = net_meta_key(net, i), *value = net_meta(net, key);
        printf("  %-20s %.*s%s\n", clean(key), TEXT_SHOWN, clean(value), strlen(value) > TEXT_SHOWN ? " ..." : "");
    }
}

/* What runs step i: the operations that serve it, in order, as "jit:uni + brgconv:avx512_core" or "4 x copy". */
static void implementation_of(const struct net *net, int i, char ret_text[IMPLEMENTATION_TEXT])
{
    const char *name, *last = NULL;
    int step, repeat = 0;
    size_t n = 0;
    ret_text[0] = 0;
    for (int op = 0;; op++) {
        bool more = net_operation(net, op, &step, &name);
        if (more && step != i) continue;
        if (more && last && strcmp(name, last) == 0) {
            repeat++;
            continue;
        }
        char times[16] = "";
        if (repeat > 1) (void)snprintf(times, sizeof times, "%d x ", repeat);
        if (last && n < IMPLEMENTATION_TEXT)
            n += (size_t)snprintf(ret_text + n, IMPLEMENTATION_TEXT - n, "%s%s%s", n ? " + " : "", times, last);
        if (!more) break;
        last = name;
        repeat = 1;
    }
    if (n == 0) (void)snprintf(ret_text, IMPLEMENTATION_TEXT, "in place");
}

static void print_steps(const struct net *net)
{
    int w_op = 8, w_name = 4, w_dims = 6;
    char dims[DIMS_TEXT], text[IMPLEMENTATION_TEXT];
    struct net_step s;
    for (int i = 0; i < net_n_step(net); i++) {
        net_step(net, i, &s);
        dims_text(&s.dims, s.batched, dims);
        w_op = (int)fmax(w_op, (double)strlen(s.op));
        w_name = (int)fmax(w_name, (double)strlen(s.name));
        w_dims = (int)fmax(w_dims, (double)strlen(dims));
    }
    if (w_name > 40) w_name = 40;
    printf("\nsteps\n  %-*s %-*s %-*s %12s %15s  %s\n", w_op, "operator", w_name, "name", w_dims, "output",
           "parameters", "multiplications", "implementation");
    for (int i = 0; i < net_n_step(net); i++) {
        net_step(net, i, &s);
        dims_text(&s.dims, s.batched, dims);
        implementation_of(net, i, text);
        printf("  %-*s %-*.*s %-*s %12s %15s  %s\n", w_op, s.op, w_name, w_name, clean(s.name), w_dims, dims,
               grouped(s.n_parameter), grouped(s.macs), text);
    }
}

int model_info(const struct model_options *options)
{
    struct net *net = NULL;
    struct model_worker *worker = NULL;
    struct burst_error error;
    if (model_open(options, options->backend, 1, &net, &worker, &error) != BURST_OK) return tell_model(&error);
    printf("%s\n", clean(options->path));
    printf("  %-12s%s\n", "sha256", net_sha256(net));
    printf("  %-12s%s\n", "producer", clean(net_producer(net)));
    printf("  %-12s%" PRId64 "\n", "opset", net_opset(net));
    for (int i = 0; i < net_n_input(net); i++)
        print_port("input", net_input(net, i));
    for (int i = 0; i < net_n_output(net); i++)
        print_port("output", net_output(net, i));
    printf("  %-12s%s numbers in the file\n", "weights", grouped(net_n_parameter(net)));
    printf("  %-12s%s multiplications per sample\n", "work", grouped(net_macs(net)));
    printf("  %-12s%s", "backend", net_backend_name(net));
    if (model_facts(worker)) printf(": %s, %s", clean(model_facts(worker)->device), model_precision(worker));
    printf("\n");
    print_metadata(net);
    print_steps(net);
    model_close(net, worker);
    return finish_output("model");
}

/* ---- check ---- */

/* The folder that holds test_data_set_N: the model's own. */
static void folder_of(const char *path, char *ret_folder, size_t size)
{
    struct stat st;
    const char *slash = strrchr(path, '/');
    bool folder = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
    if (folder)
        (void)snprintf(ret_folder, size, "%s", path);
    else if (slash)
        (void)snprintf(ret_folder, size, "%.*s", (int)(slash - path), path);
    else
        (void)snprintf(ret_folder, size, ".");
}

static int check_backend(const struct model_options *options, enum net_backend_id backend, const char *folder)
{
    struct net *net = NULL;
    struct model_worker *worker = NULL;
    struct burst_error error;
    int n_set = 0;
    double worst = NAN, tolerance = options->tolerance;
    if (model_open(options, backend, BATCH, &net, &worker, &error) != BURST_OK) return tell_model(&error);
    if (tolerance < 0) tolerance = worker ? model_tolerance(worker) : TOLERANCE;
    enum burst_err err = net_check(net, folder, tolerance, &n_set, &worst, &error);
    if (!isnan(worst))
        printf("%-6s %d set%s of golden vectors, largest difference %.3g, tolerance %g: %s\n", net_backend_name(net),
               n_set, n_set == 1 ? "" : "s", worst, tolerance, err == BURST_OK ? "ok" : "FAILED");
    model_close(net, worker);
    return err == BURST_OK ? EXIT_DONE : tell_model(&error);
}

int model_check(const struct model_options *options)
{
    char folder[4096];
    int status = EXIT_DONE;
    folder_of(options->path, folder, sizeof folder);
    if (options->cuda) status = check_backend(options, NET_BACKEND_AUTO, folder);
    for (int b = NET_BACKEND_PLAIN; b < NET_BACKEND_N && !options->cuda; b++) {
        bool wanted = options->every_backend ? backend_of((enum net_backend_id)b) != NULL
                                             : backend_of(options->backend) == backend_of((enum net_backend_id)b);
        int answer = wanted ? check_backend(options, (enum net_backend_id)b, folder) : EXIT_DONE;
        if (status == EXIT_DONE) status = answer;
    }
    int written = finish_output("model");
    return status == EXIT_DONE ? written : status;
}

/* ---- the command line ---- */

static const struct verb {
    const char *name;
    int (*run)(const struct model_options *options);
} VERBS[] = {{"info", model_info}, {"check", model_check}, {"run", model_run}};

static bool add_file(const char *file, const char **files, int *n)
{
    if (*n == MODEL_FILE_MAX) return false;
    files[(*n)++] = file;
    return true;
}

static bool parse_tolerance(const char *text, double *ret_tolerance)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || !(value >= 0) || !isfinite(value)) return false;
    *ret_tolerance = value;
    return true;
}

static bool parse_backend(const char *word, struct model_options *ret, struct burst_error *reterr)
{
    ret->every_backend = false;
    ret->cuda = strcmp(word, "cuda") == 0;
    if (ret->cuda || backend_parse(word, &ret->backend, reterr) == BURST_OK) return true;
    (void)burst_fail(reterr, BURST_E_RANGE, "--backend %.40s: auto, cuda, cpu or plain", word);
    return false;
}

/* EXIT_DONE, or -1 when help was asked for, or EXIT_USAGE with the reason told. */
static int parse(int argc, char **argv, struct model_options *ret)
{
    static const struct option table[] = {{"backend", required_argument, NULL, 'b'},
                                          {"tolerance", required_argument, NULL, 't'},
                                          {"input", required_argument, NULL, 'i'},
                                          {"output", required_argument, NULL, 'o'},
                                          {"config", required_argument, NULL, 'c'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    struct burst_error error;
    *ret = (struct model_options){.backend = NET_BACKEND_AUTO, .every_backend = true, .tolerance = -1};
    for (int c; (c = getopt_long(argc, argv, "h", table, NULL)) != -1;)
        switch (c) {
        case 'b':
            if (!parse_backend(optarg, ret, &error)) return tell_usage("model", error.text);
            break;
        case 'c': ret->config = optarg; break;
        case 't':
            if (!parse_tolerance(optarg, &ret->tolerance))
                return tell_usage("model", "--tolerance takes a number from 0");
            break;
        case 'i':
            if (!add_file(optarg, ret->input, &ret->n_input)) return tell_usage("model", "at most 16 --input");
            break;
        case 'o':
            if (!add_file(optarg, ret->output, &ret->n_output)) return tell_usage("model", "at most 16 --output");
            break;
        case 'h': return -1;
        default: return EXIT_USAGE; /* getopt has said which */
        }
    if (optind + 1 != argc) return tell_usage("model", "takes one model: an .onnx file, or a folder with model.onnx");
    ret->path = argv[optind];
    return EXIT_DONE;
}

int burstctl_model(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "";
    const struct verb *verb = NULL;
    struct model_options options;
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) return tell_help(HELP);
    for (size_t i = 0; i < sizeof VERBS / sizeof VERBS[0]; i++)
        if (strcmp(word, VERBS[i].name) == 0) verb = &VERBS[i];
    if (!verb) return tell_usage("model", "the first word is one of info, check, run");
    int status = parse(argc - 1, argv + 1, &options);
    if (status == -1) return tell_help(HELP);
    if (status != EXIT_DONE) return status;
    if (verb->run != model_run && (options.n_input || options.n_output))
        return tell_usage("model", "--input and --output belong to run");
    return verb->run(&options);
}
