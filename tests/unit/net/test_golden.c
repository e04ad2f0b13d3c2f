/* Networks that PyTorch exported and answered, on every backend built in: folded, unfolded, with every tensor kept, batch by
 * batch. With arguments: the same for those model folders (tests/parity/test_net_torch.py makes large ones). */
#include "check.h"
#include "net/net.h"
#include "net/tensor_file.h"
#include <stdlib.h>

#define GOLDEN BURST_SOURCE_DIR "/tests/golden/net/"

/* Sums of up to a few hundred float32 products of order 1, in another order than PyTorch's; of a few thousand in the large
 * networks given as arguments. */
static double tolerance = 1e-5;

static const char *folder;
static enum net_backend_id backend;

static struct net *open_net(int batch, bool keep_all)
{
    struct net_settings settings = {.backend = backend, .batch_most = batch, .keep_all = keep_all};
    struct burst_error error = {0};
    struct net *net = NULL;
    CHECK_SAY(net_open(folder, &settings, &net, &error) == BURST_OK, "%s", error.text);
    return net;
}

static void check_golden(int batch, bool keep_all)
{
    struct burst_error error = {0};
    struct net *net = open_net(batch, keep_all);
    int n_set = 0;
    double worst = -1;
    if (!net) return;
    CHECK_SAY(net_check(net, folder, tolerance, &n_set, &worst, &error) == BURST_OK, "%s", error.text);
    CHECK_INT(n_set, 1);
    CHECK_SAY(worst >= 0 && worst <= tolerance, "worst error %g", worst);
    net_close(net);
}

TEST(answers_are_pytorchs)
{
    check_golden(1, false);
}

TEST(answers_are_the_same_in_batches)
{
    check_golden(2, false);
    check_golden(8, false);
}

TEST(answers_are_the_same_with_nothing_folded)
{
    check_golden(2, true);
}

static bool read_golden(const char *name, struct net_tensor *ret)
{
    char path[1200];
    struct burst_error error = {0};
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return tensor_read(path, ret, &error) == BURST_OK;
}

/* One layer of the head on one sample. */
static void apply_layer(const struct net_layer *layer, const double *x, double *ret)
{
    for (int o = 0; o < layer->n_out; o++) {
        double sum = layer->bias ? (double)layer->bias[o] : 0;
        for (int i = 0; i < layer->n_in; i++)
            sum += (double)layer->weight[o * layer->n_in + i] * x[i];
        ret[o] = layer->relu && sum < 0 ? 0 : sum;
    }
}

/* Pooling and head over a golden feature map must give the golden logits: what Grad-CAM relies on. */
static void check_head(const struct net_head *head, const float *feature, const float *logits, int n_out)
{
    double a[2048], b[2048];
    CHECK(head->n_channel <= 2048 && head->n_position > 0);
    for (int c = 0; c < head->n_channel; c++) {
        a[c] = 0;
        for (int64_t i = 0; i < head->n_position; i++)
            a[c] += (double)feature[c * head->n_position + i] / (double)head->n_position;
    }
    CHECK(head->n_layer > 0);
    CHECK_INT(head->layer[0].n_in, head->n_channel);
    for (int l = 0; l < head->n_layer; l++) {
        CHECK(head->layer[l].n_out <= 2048);
        apply_layer(&head->layer[l], a, b);
        memcpy(a, b, sizeof a);
    }
    CHECK_INT(head->layer[head->n_layer - 1].n_out, n_out);
    for (int o = 0; o < n_out; o++)
        CHECK_NEAR(a[o], logits[o], 1e-4);
}

TEST(feature_map_and_head_lead_to_the_logits)
{
    struct net_tensor input = {0}, feature = {0}, output = {0};
    struct net_head head;
    struct net_port port;
    struct burst_error error = {0};
    CHECK(read_golden("feature_0.pb", &feature));
    CHECK(read_golden("test_data_set_0/input_0.pb", &input) && read_golden("test_data_set_0/output_0.pb", &output));
    int n = (int)input.dims.dim[0];
    struct net *net = open_net(n, false);
    float *logits = malloc((size_t)dims_count(&output.dims) * sizeof(float));
    float *got = malloc((size_t)dims_count(&feature.dims) * sizeof(float));
    CHECK(net && logits && got);
    CHECK_INT(net_run(net, input.f32, n, logits, &error), BURST_OK);
    CHECK_SAY(net_head(net, &head, &error) == BURST_OK, "%s", error.text);
    CHECK_INT(net_read(net, head.name, got, (size_t)dims_count(&feature.dims), &port, &error), BURST_OK);
    CHECK_INT(port.n_element * n, dims_count(&feature.dims));
    CHECK_INT(head.n_channel, feature.dims.dim[1]);
    CHECK_INT(head.size[0] * head.size[1], head.n_position);
    for (int64_t i = 0; i < dims_count(&feature.dims); i++)
        CHECK_NEAR(got[i], feature.f32[i], tolerance * fmax(1, fabs((double)feature.f32[i])));
    for (int i = 0; i < n; i++)
        check_head(&head, feature.f32 + i * port.n_element, output.f32 + i * output.dims.dim[1],
                   (int)output.dims.dim[1]);
    net_close(net);
    tensor_fini(&input);
    tensor_fini(&feature);
    tensor_fini(&output);
    free(logits);
    free(got);
}

/* "answers_are_pytorchs.bottleneck.plain" */
static void run_case(const char *what, void (*test)(void), const char *name, const char *word)
{
    static char text[1400];
    (void)snprintf(text, sizeof text, "%s.%s.%s", what, name, word);
    check_run(text, test);
}

static void run_backend(const char *name, const char *word)
{
    struct net_tensor feature = {0};
    run_case("answers_are_pytorchs", answers_are_pytorchs, name, word);
    run_case("answers_are_the_same_in_batches", answers_are_the_same_in_batches, name, word);
    run_case("answers_are_the_same_with_nothing_folded", answers_are_the_same_with_nothing_folded, name, word);
    if (!read_golden("feature_0.pb", &feature)) return;
    tensor_fini(&feature);
    run_case("feature_map_and_head_lead_to_the_logits", feature_map_and_head_lead_to_the_logits, name, word);
}

static void run_folder(const char *path, const char *name)
{
    folder = path;
    for (int b = NET_BACKEND_PLAIN; b < NET_BACKEND_N; b++) {
        backend = (enum net_backend_id)b;
        if (backend_of(backend)) run_backend(name, backend_of(backend)->name);
    }
}

int main(int argc, char **argv)
{
    static const char *const names[] = {"light_curve", "light_curve_unfolded", "light_curve_adaptive",
                                        "image",       "bottleneck",           "mixture"};
    if (argc > 1) tolerance = 1e-4;
    for (int i = 1; i < argc; i++)
        run_folder(argv[i], strrchr(argv[i], '/') ? strrchr(argv[i], '/') + 1 : argv[i]);
    for (size_t i = 0; argc == 1 && i < sizeof names / sizeof names[0]; i++) {
        char path[1200];
        (void)snprintf(path, sizeof path, GOLDEN "%s", names[i]);
        run_folder(path, names[i]);
    }
    return check_report();
}
