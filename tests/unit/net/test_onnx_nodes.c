/* The ONNX project's own tests (Debian's libonnx-testdata 1.12) of every operator we have, on every backend. A test is ours
 * when all its operators are; it must then pass, or stand in OUT_OF_SCOPE and be refused for the reason given there: a listed
 * test that begins to work is a failure too, so that the list stays true. */
#include "onnx_nodes.h"

/* The ONNX project allows 1e-3; sums of float32 products in another order need far less. */
static const double tolerance = 1e-5;

static const struct out_of_scope {
    const char *name;
    enum burst_err code;
    const char *words; /* of the refusal */
    const char *reason;
} OUT_OF_SCOPE[] = {
    {"test_add_uint8", BURST_E_UNSUPPORTED, "UINT8", "bytes: activations are float32"},
    {"test_maxpool_2d_uint8", BURST_E_UNSUPPORTED, "UINT8", "bytes: activations are float32"},
    {"test_identity_opt", BURST_E_UNSUPPORTED, "INT8", "an optional of another type: activations are float32 tensors"},
    {"test_identity_sequence", BURST_E_UNSUPPORTED, "segment", "a sequence: activations are float32 tensors"},
    {"test_operator_add_broadcast", BURST_E_UNSUPPORTED, "DOUBLE", "double precision: activations are float32"},
    {"test_operator_add_size1_broadcast", BURST_E_UNSUPPORTED, "DOUBLE", "double precision: activations are float32"},
    {"test_operator_add_size1_right_broadcast", BURST_E_UNSUPPORTED, "DOUBLE",
     "double precision: activations are float32"},
    {"test_operator_add_size1_singleton_broadcast", BURST_E_UNSUPPORTED, "DOUBLE",
     "double precision: activations are float32"},
    {"test_operator_addconstant", BURST_E_UNSUPPORTED, "DOUBLE", "double precision: activations are float32"},
    {"test_averagepool_3d_default", BURST_E_UNSUPPORTED, "not of 1 or 2 dimensions",
     "volumes: windows have 1 or 2 dimensions"},
    {"test_maxpool_3d_default", BURST_E_UNSUPPORTED, "not of 1 or 2 dimensions",
     "volumes: windows have 1 or 2 dimensions"},
    {"test_AvgPool3d", BURST_E_UNSUPPORTED, "not of 1 or 2 dimensions", "volumes: windows have 1 or 2 dimensions"},
    {"test_AvgPool3d_stride", BURST_E_UNSUPPORTED, "not of 1 or 2 dimensions",
     "volumes: windows have 1 or 2 dimensions"},
    {"test_AvgPool3d_stride1_pad0_gpu_input", BURST_E_UNSUPPORTED, "not of 1 or 2 dimensions",
     "volumes: windows have 1 or 2 dimensions"},
    {"test_MaxPool3d", BURST_E_UNSUPPORTED, "not of 1 or 2 dimensions", "volumes: windows have 1 or 2 dimensions"},
    {"test_MaxPool3d_stride", BURST_E_UNSUPPORTED, "not of 1 or 2 dimensions",
     "volumes: windows have 1 or 2 dimensions"},
    {"test_MaxPool3d_stride_padding", BURST_E_UNSUPPORTED, "not of 1 or 2 dimensions",
     "volumes: windows have 1 or 2 dimensions"},
    {"test_Conv3d", BURST_E_UNSUPPORTED, "not of 1 or 2 dimensions", "volumes: windows have 1 or 2 dimensions"},
    {"test_Conv3d_dilated", BURST_E_UNSUPPORTED, "not of 1 or 2 dimensions", "volumes: windows have 1 or 2 dimensions"},
    {"test_Conv3d_dilated_strided", BURST_E_UNSUPPORTED, "not of 1 or 2 dimensions",
     "volumes: windows have 1 or 2 dimensions"},
    {"test_Conv3d_groups", BURST_E_UNSUPPORTED, "not of 1 or 2 dimensions", "volumes: windows have 1 or 2 dimensions"},
    {"test_Conv3d_no_bias", BURST_E_UNSUPPORTED, "not of 1 or 2 dimensions", "volumes: windows have 1 or 2 dimensions"},
    {"test_Conv3d_stride", BURST_E_UNSUPPORTED, "not of 1 or 2 dimensions", "volumes: windows have 1 or 2 dimensions"},
    {"test_Conv3d_stride_padding", BURST_E_UNSUPPORTED, "not of 1 or 2 dimensions",
     "volumes: windows have 1 or 2 dimensions"},
    {"test_batchnorm_epsilon_training_mode", BURST_E_UNSUPPORTED, "output 1", "training mode: it gives new statistics"},
    {"test_batchnorm_example_training_mode", BURST_E_UNSUPPORTED, "output 1", "training mode: it gives new statistics"},
    {"test_training_dropout", BURST_E_UNSUPPORTED, "training mode", "training mode: random"},
    {"test_training_dropout_default", BURST_E_UNSUPPORTED, "training mode", "training mode: random"},
    {"test_training_dropout_default_mask", BURST_E_UNSUPPORTED, "training mode", "training mode: random"},
    {"test_training_dropout_mask", BURST_E_UNSUPPORTED, "training mode", "training mode: random"},
    {"test_training_dropout_zero_ratio", BURST_E_UNSUPPORTED, "training mode", "training mode: random"},
    {"test_training_dropout_zero_ratio_mask", BURST_E_UNSUPPORTED, "training mode", "training mode: random"},
    {"test_dropout_default_mask", BURST_E_MISSING, "output 'z'", "the mask, a second output that only training needs"},
    {"test_dropout_default_mask_ratio", BURST_E_MISSING, "output 'z'",
     "the mask, a second output that only training needs"},
    {"test_maxpool_with_argmax_2d_precomputed_pads", BURST_E_UNSUPPORTED, "output 1",
     "indices, a second output that only training needs"},
    {"test_maxpool_with_argmax_2d_precomputed_strides", BURST_E_UNSUPPORTED, "output 1",
     "indices, a second output that only training needs"},
    {"test_reshape_allowzero_reordered", BURST_E_SHAPE, "dimension 0 is 0", "a tensor without elements"},
};

static const struct out_of_scope *out; /* of the test, or NULL */

static void one_test(void)
{
    uint8_t *bytes = NULL;
    size_t n = 0;
    struct burst_error error = {0};
    Onnx__ModelProto *model = read_model(&bytes, &n);
    int number = 0;
    CHECK(model != NULL);
    if (model) raise_opset(model, &bytes, &n);
    for (; model && number < SET_MAX; number++) {
        char path[600];
        (void)snprintf(path, sizeof path, "%s/test_data_set_%d", folder, number);
        if (access(path, F_OK) != 0) break;
        enum burst_err err = try_set(model, bytes, n, number, &error);
        if (!out) CHECK_SAY(err == BURST_OK, "refused (%s): %s", burst_err_name(err), error.text);
        if (out)
            CHECK_SAY(err == out->code, "gave %s instead of %s: %s", burst_err_name(err), burst_err_name(out->code),
                      error.text);
        if (out && err == out->code)
            CHECK_SAY(strstr(error.text, out->words), "\"%s\" lacks \"%s\"", error.text, out->words);
    }
    CHECK(number > 0);
    if (out) check_skip_why = out->reason;
    if (model) onnx__model_proto__free_unpacked(model, NULL);
    free(bytes);
}

/* ---- all of them ---- */

static const struct out_of_scope *entry_of(const char *name)
{
    for (size_t i = 0; i < sizeof OUT_OF_SCOPE / sizeof OUT_OF_SCOPE[0]; i++)
        if (strcmp(OUT_OF_SCOPE[i].name, name) == 0) return &OUT_OF_SCOPE[i];
    return NULL;
}

static void on_every_backend(const char *group, const char *name)
{
    static char label[600];
    out = entry_of(name);
    for (int b = NET_BACKEND_PLAIN; b < NET_BACKEND_N; b++) {
        const struct net_backend *backend = backend_of((enum net_backend_id)b);
        if (!backend) continue;
        nodes_settings = (struct net_settings){.backend = (enum net_backend_id)b, .batch_most = 64};
        nodes_tolerance = tolerance;
        (void)snprintf(label, sizeof label, "%s.%s.%s", group, name, backend->name);
        check_run(label, one_test);
    }
}

static int found;

TEST(the_list_of_tests_is_whole)
{
    if (access(DATA, F_OK) != 0) SKIP("no " DATA " (libonnx-testdata)");
    CHECK_INT(found, 209); /* in libonnx-testdata 1.12.0, counted with python3-onnx */
}

int main(void)
{
    found = run_all(on_every_backend);
    RUN(the_list_of_tests_is_whole);
    return check_report();
}
