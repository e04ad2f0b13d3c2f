/* Scores and explanations of two small networks against PyTorch (tests/golden/infer/make.py). */
#include "check.h"
#include "infer/infer.h"
#include "infer/inside.h"
#include "infer/model.h"
#include "net/tensor_file.h"
#include <stdlib.h>

#define GOLDEN BURST_SOURCE_DIR "/tests/golden/infer/"
#define EYE    BURST_SOURCE_DIR "/models/eclairs-cnn/1"
static const char *const LIGHT = GOLDEN "small-light-curve/3";
static const char *const IMAGE = GOLDEN "small-image/3/model.onnx";

static struct infer *infer;
static struct lightcurve_window *window;
static struct image_sample sample;

/* The same window as make.py's light_curve_input. */
static void window_fill(struct lightcurve_window *w)
{
    static const float EDGE[6] = {25, 50, 100, 300, 500, 900};
    static const uint8_t FIRST[9] = {0, 1, 1, 2, 2, 2, 3, 3, 4}, LAST[9] = {1, 2, 3, 3, 4, 5, 4, 5, 5};
    w->bands = (struct band_set){.n_atom = 5, .n_band = 9};
    memcpy(w->bands.edge_kev, EDGE, sizeof EDGE);
    memcpy(w->bands.first, FIRST, sizeof FIRST);
    memcpy(w->bands.last, LAST, sizeof LAST);
    w->n_detector = 4;
    for (int r = 0; r < 4; r++) {
        w->detector[r] = 2 * r + 1;
        w->n_valid[r] = 1687;
        w->scored[r] = true;
        for (int t = 0; t < WINDOW_BINS; t++) {
            int more = t >= 900 && t < 1000 ? 10 * (r + 1) : 0;
            w->valid[r * WINDOW_BINS + t] = t % 10 != r;
            for (int a = 0; a < 5; a++)
                w->counts[(r * 5 + a) * WINDOW_BINS + t] = (uint32_t)((7 * r + 3 * a + t * t) % 11 + more);
        }
    }
}

/* The same sample as make.py's image_input. */
static void sample_fill(void)
{
    memset(&sample, 0, sizeof sample);
    for (int z = 0; z < IMAGE_SIDE; z++)
        for (int y = 0; y < IMAGE_SIDE; y++) {
            sample.mask[z][y] = z < 50 ? MASK_BACKGROUND : MASK_IGNORE;
            sample.snr[z][y] = z < 50 ? (float)((13 * z + 7 * y) % 17) / 4 - 2 : 0;
        }
    sample.snr[28][28] = 9;
    sample.mask[28][28] = MASK_TRIGGER;
    sample.mask[30][31] = sample.mask[10][40] = MASK_SOURCE;
}

/* A whole map, as many pixels at a time as can be. */
static enum burst_err explain_all(struct infer *with, struct image_explanation *ret, struct burst_error *reterr)
{
    int done = 0;
    enum burst_err err = BURST_OK;
    while (!err && done < INFER_EXPLAIN_PIXELS)
        err = infer_explain_image_part(with, &sample, INFER_EXPLAIN_PIXELS, &done, ret, reterr);
    return err;
}

/* A golden tensor's n floats. */
static bool golden(const char *name, size_t n, float *ret)
{
    struct net_tensor t;
    struct burst_error e;
    char path[512];
    (void)snprintf(path, sizeof path, "%s%s", GOLDEN, name);
    if (tensor_read(path, &t, &e)) {
        CHECK_SAY(false, "%s", e.text);
        return false;
    }
    bool good = t.f32 && dims_count(&t.dims) == (int64_t)n;
    CHECK(good);
    if (good) memcpy(ret, t.f32, n * sizeof *ret);
    tensor_fini(&t);
    return good;
}

TEST(models_tell_what_they_are)
{
    const struct infer_model *light = infer_lightcurve_model(infer), *image = infer_image_model(infer);
    CHECK_STR(light->tag.name, "small-light-curve");
    CHECK_STR(light->tag.version, "3");
    CHECK_NEAR(light->tag.temperature, 1.25, 0);
    CHECK_NEAR(light->tag.open, 0.5, 0);
    CHECK_NEAR(light->tag.low, 0.2, 0);
    CHECK_NEAR(light->tag.high, 0.8, 0);
    CHECK_INT(strlen(light->tag.sha256), 64);
    CHECK_INT(light->n_band, 9);
    CHECK_NEAR(light->band_kev[6][0], 300, 0);
    CHECK_NEAR(light->band_kev[6][1], 500, 0);
    CHECK_INT(light->n_logit, 2);
    CHECK_INT(light->true_index, 1);
    CHECK_STR(image->tag.name, "small-image");
    CHECK_INT(image->n_logit, 1);
    CHECK_NEAR(image->scaling.clip_lo, -10, 0);
    CHECK_NEAR(image->scaling.clip_hi, 30, 0);
    CHECK_NEAR(image->scaling.image_scale, 5, 0);
    CHECK_NEAR(image->scaling.mask_scale, 3, 0);
}

TEST(window_scores_are_pytorchs)
{
    float logit[8];
    struct window_score s;
    window_fill(window);
    if (!golden("lightcurve_out.pb", 8, logit)) return;
    CHECK_INT(infer_window(infer, window, &s, NULL), BURST_OK);
    CHECK_INT(s.n_score, 4);
    CHECK(s.window == window);
    CHECK_STR(s.model.name, "small-light-curve");
    double least = 1e9, sum = 0;
    for (int i = 0; i < 4; i++) {
        double want = (double)logit[2 * i + 1] - (double)logit[2 * i];
        CHECK_INT(s.score[i].detector, 2 * i + 1);
        CHECK_NEAR(infer_logit(infer, infer_lightcurve_model(infer), i), want,
                   1e-4); /* the bound of protocol.md 10's golden answers */
        CHECK_NEAR(s.score[i].logit, want, INFER_LOGIT_STEP / 2 + 1e-4);
        CHECK_NEAR(s.score[i].p, 1 / (1 + exp(-s.score[i].logit / 1.25)), 1e-12);
        least = want < least ? want : least;
        sum += want;
    }
    CHECK_NEAR(s.logit, (sum - least) / 3, INFER_LOGIT_STEP / 2 + 1e-4); /* best three of four */
    CHECK_NEAR(s.p, 1 / (1 + exp(-s.logit / 1.25)), 1e-12);
    CHECK(s.infer_s >= 0);
}

TEST(rows_without_enough_data_are_left_out)
{
    struct window_score all, some;
    struct burst_error e;
    window_fill(window);
    CHECK_INT(infer_window(infer, window, &all, NULL), BURST_OK);
    window->scored[0] = window->scored[2] = false;
    CHECK_INT(infer_window(infer, window, &some, NULL), BURST_OK);
    CHECK_INT(some.n_score, 2);
    CHECK_INT(some.score[1].detector, 7);
    CHECK_NEAR(some.score[1].logit, all.score[3].logit, 0);
    CHECK_NEAR(some.logit, 0.5 * (all.score[1].logit + all.score[3].logit), 1e-12);
    window->scored[1] = window->scored[3] = false;
    some.n_score = 77;
    CHECK_REFUSED(infer_window(infer, window, &some, &e), BURST_E_MISSING, e, "30 s");
    CHECK_INT(some.n_score, 77);
}

TEST(grad_cam_is_pytorchs)
{
    float cam[118];
    struct window_explanation x;
    window_fill(window);
    if (!golden("lightcurve_cam.pb", 118, cam)) return;
    CHECK_INT(infer_explain_window(infer, window, 1, &x, NULL), BURST_OK);
    CHECK_INT(x.detector, 3);
    CHECK_INT(x.n_cam, 118);
    float most = 0;
    for (int t = 0; t < 118; t++) {
        most = cam[t] > most ? cam[t] : most;
        CHECK_NEAR(x.cam[t], cam[t], 1e-5);
    }
    CHECK(most > 1e-3F); /* the golden map is not empty */
}

TEST(a_map_made_in_parts_is_the_map_made_at_once)
{
    static struct image_explanation whole, parts;
    struct image_score between;
    int done = 0, n = 0;
    sample_fill();
    CHECK_INT(explain_all(infer, &whole, NULL), BURST_OK);
    while (done < INFER_EXPLAIN_PIXELS && n++ < 100) {
        CHECK_INT(infer_explain_image_part(infer, &sample, 47, &done, &parts, NULL), BURST_OK);
        CHECK_INT(infer_image(infer, &sample, &between, NULL),
                  BURST_OK); /* an alert between two parts changes nothing */
    }
    CHECK_INT(n, 67); /* 3,136 pixels, 47 at a time */
    CHECK(memcmp(&whole, &parts, sizeof whole) == 0);
}

/* The shipped network on its own golden inputs; the maps come from training/lightcurve_export.py. */
TEST(grad_cam_of_the_shipped_network_is_pytorchs)
{
    struct infer *shipped = NULL;
    struct net_tensor input = {0}, cam = {0};
    struct window_explanation x;
    struct burst_error e;
    const char *model = BURST_SOURCE_DIR "/models/gecam-resnet-mscfm/1";
    const char *inputs = BURST_SOURCE_DIR "/models/gecam-resnet-mscfm/1/test_data_set_0/input_0.pb";
    const char *cams = BURST_SOURCE_DIR "/tests/golden/cam/lightcurve_cam_0.pb";
    CHECK_INT(infer_open(&(struct infer_settings){.light_curve = model}, &shipped, &e), BURST_OK);
    CHECK_INT(tensor_read(inputs, &input, &e), BURST_OK);
    CHECK_INT(tensor_read(cams, &cam, &e), BURST_OK);
    if (check_case_failed) return;
    int64_t n_bin = cam.dims.dim[1];
    CHECK_INT(input.dims.dim[0], cam.dims.dim[0]);
    for (int64_t i = 0; i < cam.dims.dim[0]; i++) {
        double worst = 0;
        memcpy(shipped->input, input.f32 + i * 9 * WINDOW_BINS, 9 * WINDOW_BINS * sizeof(float));
        CHECK_INT(infer_cam(shipped, &x, &e), BURST_OK);
        CHECK_INT(x.n_cam, n_bin);
        for (int64_t t = 0; t < n_bin; t++)
            worst = fmax(worst, fabs((double)x.cam[t] - (double)cam.f32[i * n_bin + t]));
        CHECK_SAY(worst < 1e-3, "map %d differs by %g", (int)i, worst);
    }
    tensor_fini(&input);
    tensor_fini(&cam);
    infer_close(shipped);
}

TEST(image_scores_and_occlusion_are_pytorchs)
{
    static float drop[IMAGE_SIDE * IMAGE_SIDE];
    static struct image_explanation x;
    float out[3];
    struct image_score s;
    sample_fill();
    if (!golden("image_out.pb", 3, out) || !golden("image_drop.pb", IMAGE_SIDE * IMAGE_SIDE, drop)) return;
    CHECK_INT(infer_image(infer, &sample, &s, NULL), BURST_OK);
    CHECK(s.sample == &sample);
    CHECK_NEAR(infer_logit(infer, infer_image_model(infer), 0), out[0], 1e-4);
    CHECK_NEAR(s.logit, out[0], INFER_LOGIT_STEP / 2 + 1e-4);
    CHECK_NEAR(s.p, 1 / (1 + exp(-s.logit / 1.25)), 1e-12);
    CHECK_INT(explain_all(infer, &x, NULL), BURST_OK);
    double worst = 0, most = 0;
    for (int i = 0; i < IMAGE_SIDE * IMAGE_SIDE; i++) {
        double off = fabs((double)(&x.drop[0][0])[i] - (double)drop[i]);
        worst = off > worst ? off : worst;
        most = fabs((double)drop[i]) > most ? fabs((double)drop[i]) : most;
    }
    CHECK_SAY(worst < 1e-4, "occlusion differs by %g", worst);
    CHECK(most > 1e-2);
    CHECK_NEAR(x.drop[55][0], 0, 0); /* no data there: nothing to take away */
    CHECK_NEAR(x.p_without_centre, 1 / (1 + exp(-(double)out[1] / 1.25)), 1e-4);
    CHECK_NEAR(x.p_without_sources, 1 / (1 + exp(-(double)out[2] / 1.25)), 1e-4);
    sample.mask[30][31] = sample.mask[10][40] = MASK_BACKGROUND;
    CHECK_INT(explain_all(infer, &x, NULL), BURST_OK);
    CHECK_NEAR(x.p_without_sources, -1, 0);
}

/* The shipped network on its own golden inputs; the maps come from burst_training/image_explain.py. */
TEST(occlusion_of_the_shipped_network_is_pytorchs)
{
    static struct image_explanation x;
    struct infer *shipped = NULL;
    struct net_tensor input = {0}, logit = {0}, drop = {0};
    struct image_score s;
    struct burst_error e;
    CHECK_INT(infer_open(&(struct infer_settings){.image = EYE}, &shipped, &e), BURST_OK);
    CHECK_INT(tensor_read(EYE "/test_data_set_0/input_0.pb", &input, &e), BURST_OK);
    CHECK_INT(tensor_read(EYE "/test_data_set_0/output_0.pb", &logit, &e), BURST_OK);
    CHECK_INT(tensor_read(BURST_SOURCE_DIR "/tests/golden/occlusion/image_occlusion_0.pb", &drop, &e), BURST_OK);
    if (check_case_failed) return;
    for (int64_t n = 0; n < drop.dims.dim[0]; n++) {
        double worst = 0;
        for (int i = 0; i < IMAGE_PIXELS;
             i++) { /* back from the network's input: clipped, which clipping again leaves */
            (&sample.snr[0][0])[i] = input.f32[n * 2 * IMAGE_PIXELS + i] * 5;
            (&sample.mask[0][0])[i] = (uint8_t)lrintf(input.f32[(n * 2 + 1) * IMAGE_PIXELS + i] * 3);
        }
        CHECK_INT(infer_image(shipped, &sample, &s, &e), BURST_OK);
        CHECK_NEAR(infer_logit(shipped, infer_image_model(shipped), 0), logit.f32[n], 1e-4);
        CHECK_INT(explain_all(shipped, &x, &e), BURST_OK);
        for (int i = 0; i < IMAGE_PIXELS; i++)
            worst = fmax(worst, fabs((double)(&x.drop[0][0])[i] - (double)drop.f32[n * IMAGE_PIXELS + i]));
        CHECK_SAY(worst < 1e-3, "map %d differs by %g", (int)n, worst);
    }
    tensor_fini(&input);
    tensor_fini(&logit);
    tensor_fini(&drop);
    infer_close(shipped);
}

TEST(samples_that_do_not_fit_are_refused)
{
    struct window_score s = {.n_score = 77};
    struct window_explanation x = {.n_cam = 77};
    struct image_score i = {.p = 77};
    struct burst_error e;
    window_fill(window);
    window->bands.n_band = 8;
    CHECK_REFUSED(infer_window(infer, window, &s, &e), BURST_E_MODEL, e, "8 bands");
    window_fill(window);
    window->bands.edge_kev[5] = 1000;
    CHECK_REFUSED(infer_window(infer, window, &s, &e), BURST_E_MODEL, e, "100-1000 keV");
    CHECK_REFUSED(infer_explain_window(infer, window, 0, &x, &e), BURST_E_MODEL, e, "band 6");
    window_fill(window);
    CHECK_REFUSED(infer_explain_window(infer, window, 4, &x, &e), BURST_E_RANGE, e, "row 4");
    CHECK_REFUSED(infer_explain_window(infer, window, -1, &x, &e), BURST_E_RANGE, e, "row -1");
    sample_fill();
    sample.snr[3][4] = NAN;
    CHECK_REFUSED(infer_image(infer, &sample, &i, &e), BURST_E_RANGE, e, "pixel 172");
    CHECK_INT(s.n_score, 77);
    CHECK_INT(x.n_cam, 77);
    CHECK_NEAR(i.p, 77, 0);
}

TEST(a_network_that_is_not_open_cannot_answer)
{
    struct infer *half = NULL;
    struct window_score s;
    struct window_explanation x;
    struct image_score i;
    struct burst_error e;
    window_fill(window);
    sample_fill();
    CHECK_INT(infer_open(&(struct infer_settings){.image = IMAGE}, &half, &e), BURST_OK);
    CHECK(!infer_lightcurve_model(half) && infer_image_model(half));
    CHECK_REFUSED(infer_window(half, window, &s, &e), BURST_E_STATE, e, "light-curve");
    CHECK_REFUSED(infer_explain_window(half, window, 0, &x, &e), BURST_E_STATE, e, "light-curve");
    infer_close(half);
    half = NULL;
    CHECK_INT(infer_open(&(struct infer_settings){.light_curve = LIGHT, .image = ""}, &half, &e), BURST_OK);
    CHECK_REFUSED(infer_image(half, &sample, &i, &e), BURST_E_STATE, e, "image");
    infer_close(half);
    infer_close(NULL);
}

TEST(a_network_without_global_pooling_scores_but_has_no_grad_cam)
{
    struct infer *flat = NULL;
    struct window_score s;
    struct window_explanation x = {.n_cam = 77};
    struct burst_error e;
    window_fill(window);
    CHECK_INT(infer_open(&(struct infer_settings){.light_curve = GOLDEN "small-flat/3"}, &flat, &e), BURST_OK);
    CHECK_INT(infer_window(flat, window, &s, &e), BURST_OK);
    CHECK_REFUSED(infer_explain_window(flat, window, 0, &x, &e), BURST_E_UNSUPPORTED, e, "pool");
    CHECK_INT(x.n_cam, 77);
    infer_close(flat);
}

TEST(models_that_are_not_what_is_asked_are_refused)
{
    struct infer *none = NULL;
    struct burst_error e;
    const char *bare = BURST_SOURCE_DIR "/tests/golden/net/image";
    CHECK_REFUSED(infer_open(&(struct infer_settings){.backend = NET_BACKEND_PLAIN}, &none, &e), BURST_E_CONFIG, e,
                  "neither");
    CHECK_REFUSED(infer_open(&(struct infer_settings){.light_curve = IMAGE}, &none, &e), BURST_E_MODEL, e,
                  "'burst.kind' is \"image\"; light_curve is needed");
    CHECK_REFUSED(infer_open(&(struct infer_settings){.image = LIGHT}, &none, &e), BURST_E_MODEL, e, "burst.kind");
    CHECK_REFUSED(infer_open(&(struct infer_settings){.image = bare}, &none, &e), BURST_E_MODEL, e,
                  "no metadata 'burst.kind'");
    CHECK_REFUSED(infer_open(&(struct infer_settings){.image = GOLDEN "absent"}, &none, &e), BURST_E_IO, e, "absent");
    CHECK(!none);
}

/* A copy of a model in which one piece of its metadata was overwritten by another of the same length. */
static void edited(const char *model, const char *from, const char *to, enum burst_err want, const char *part)
{
    static uint8_t bytes[1 << 17];
    struct burst_error e;
    struct net *net = NULL;
    struct infer_model m = {.n_logit = 77};
    FILE *file = fopen(model, "rb");
    CHECK(file);
    if (!file) return;
    size_t n = fread(bytes, 1, sizeof bytes, file);
    (void)fclose(file);
    uint8_t *at = memmem(bytes, n, from, strlen(from));
    CHECK_SAY(at != NULL, "%s is not in %s", from, model);
    if (!at || strlen(from) != strlen(to)) return;
    memcpy(at, to, strlen(to));
    CHECK_INT(net_open_bytes(bytes, n, NULL, &net, &e), BURST_OK);
    if (!net) return;
    if (strstr(model, "image"))
        CHECK_REFUSED(model_read_image(net, model, &m, &e), want, e, part);
    else
        CHECK_REFUSED(model_read_lightcurve(net, model, &m, &e), want, e, part);
    CHECK_INT(m.n_logit, 77);
    net_close(net);
}

TEST(every_wrong_piece_of_metadata_is_named)
{
    const char *light = GOLDEN "small-light-curve/3/model.onnx";
    edited(light, "[25, 50]", "[50, 25]", BURST_E_MODEL, "burst.bands_kev");
    edited(light, "[500, 900]]", "[500, 900],", BURST_E_MODEL, "'burst.bands_kev' is no JSON");
    edited(light, "[[25, 50], ", "[          ", BURST_E_SHAPE, "[N, 8, 1875] is needed");
    edited(light, "0.064", "0.063", BURST_E_MODEL, "'burst.bin_s' is 0.063");
    edited(light, "\"band\"", "\"flat\"", BURST_E_MODEL, "'burst.standardise' is \"flat\"; band is needed");
    edited(light, "burst.n_bin", "burst.m_bin", BURST_E_MODEL, "no metadata 'burst.n_bin'");
    edited(light, "1.25", "-125", BURST_E_MODEL, "'burst.temperature' is -125");
    edited(light, "\"high\": 0.8", "\"high\": 0.1", BURST_E_MODEL, "burst.thresholds");
    edited(light, "\"burst\"]", "\"burzt\"]", BURST_E_MODEL, "burst.classes");
    edited(IMAGE, "[-10, 30]", "[-10, -9.", BURST_E_MODEL, "'burst.image_clip' is no JSON");
    edited(IMAGE, "[-10, 30]", "[30, -10]", BURST_E_MODEL, "burst.image_clip");
    edited(IMAGE, "\"scalar\"", "\"onehot\"", BURST_E_MODEL, "burst.mask_encoding");
    edited(IMAGE, "[\"false\", \"true\"]", "[\"true\", \"false\"]", BURST_E_MODEL, "burst.classes");
}

TEST(names_come_from_the_path)
{
    struct net *net = NULL;
    struct infer_model m;
    CHECK_INT(net_open(IMAGE, NULL, &net, NULL), BURST_OK);
    static const char *const PATH[][2] = {{"models/eclairs-cnn/3/", "eclairs-cnn"},
                                          {"/x/eclairs-cnn/3/model.onnx", "eclairs-cnn"},
                                          {"models/eclairs-cnn", "eclairs-cnn"},
                                          {"mine.onnx", "mine"},
                                          {"/x/my model.onnx", "image"},
                                          {"model.onnx", "image"},
                                          {"3", "3"}};
    for (size_t i = 0; i < sizeof PATH / sizeof PATH[0]; i++) {
        CHECK_INT(model_read_image(net, PATH[i][0], &m, NULL), BURST_OK);
        CHECK_STR(m.tag.name, PATH[i][1]);
    }
    net_close(net);
}

int main(void)
{
    struct burst_error e;
    if (window_new(4, &window, &e)) return 1;
    if (infer_open(&(struct infer_settings){.light_curve = LIGHT, .image = IMAGE}, &infer, &e)) {
        printf("FAIL infer_open: %s\n", e.text);
        return 1;
    }
    RUN(models_tell_what_they_are);
    RUN(window_scores_are_pytorchs);
    RUN(rows_without_enough_data_are_left_out);
    RUN(grad_cam_is_pytorchs);
    RUN(grad_cam_of_the_shipped_network_is_pytorchs);
    RUN(image_scores_and_occlusion_are_pytorchs);
    RUN(a_map_made_in_parts_is_the_map_made_at_once);
    RUN(occlusion_of_the_shipped_network_is_pytorchs);
    RUN(samples_that_do_not_fit_are_refused);
    RUN(a_network_that_is_not_open_cannot_answer);
    RUN(a_network_without_global_pooling_scores_but_has_no_grad_cam);
    RUN(models_that_are_not_what_is_asked_are_refused);
    RUN(every_wrong_piece_of_metadata_is_named);
    RUN(names_come_from_the_path);
    infer_close(infer);
    window_free(window);
    return check_report();
}
