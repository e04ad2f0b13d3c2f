/* burst-cuda and its client together: every kind of job gives what this process computes with plain C. */
#include "worker_scene.h"
#include <pthread.h>

static const struct worker_settings SOCKET = {0}, SPIN = {.spin = true};
static const struct worker_settings *const WAYS[2] = {&SOCKET, &SPIN};
static struct stretch stretch;

TEST(a_worker_is_started_says_who_it_is_and_echoes)
{
    for (int way = 0; way < 2; way++) {
        char back[6] = {0};
        struct worker *w = lane_ready(WAYS[way]);
        CHECK_INT(worker_echo(w, "hello", 6, back, soon(), &e), BURST_OK);
        CHECK_STR(back, "hello");
        CHECK(worker_facts(w)->device[0] != 0);
        CHECK(worker_facts(w)->sm >= 80);
        CHECK(worker_facts(w)->pid != getpid());
        CHECK_STR(worker_slot(w, CURVE)->sha256, net_sha256(curve_own.plain));
        CHECK_INT(worker_slot(w, CURVE)->batch, 8);
        CHECK_INT(worker_slot(w, CURVE)->n_cam, 75);
        CHECK_INT(worker_slot(w, IMAGE)->output_floats[0], OUT);
        worker_free(w);
    }
}

TEST(a_worker_that_is_let_go_ends)
{
    struct worker *w = lane_ready(&SOCKET);
    int pid = worker_facts(w)->pid;
    char folder[200];
    (void)snprintf(folder, sizeof folder, "%s", worker_socket(w));
    worker_free(w);
    CHECK_INT(kill(pid, 0), -1);
    CHECK_INT(access(folder, F_OK), -1);
    *strrchr(folder, '/') = 0;
    CHECK_INT(access(folder, F_OK), -1);
}

TEST(windows_are_scored_as_plain_scores_them)
{
    float answer[ROWS * OUT], want[ROWS * OUT];
    for (int way = 0; way < 2; way++) {
        struct worker *w = lane_ready(WAYS[way]);
        for (int n = 1; n <= ROWS; n++) {
            stretch_make(&stretch, 4000 + 16 * n, n, 300);
            CHECK_INT(worker_window(w, CURVE, &stretch.window, answer, soon(), &e), BURST_OK);
            own_window(&stretch.window, want);
            check_close(answer, want, (int64_t)n * OUT, 1e-4, "window");
        }
        CHECK(worker_device_ns(w) > 0);
        worker_free(w);
    }
}

TEST(rows_that_are_not_scored_are_left_out)
{
    float answer[ROWS * OUT], want[ROWS * OUT];
    struct worker *w = lane_ready(&SOCKET);
    stretch_make(&stretch, 4000, ROWS, 300);
    stretch.scored[0] = stretch.scored[3] = false;
    CHECK_INT(worker_window(w, CURVE, &stretch.window, answer, soon(), &e), BURST_OK);
    own_window(&stretch.window, want);
    check_close(answer, want, 3 * OUT, 1e-4, "window");
    worker_free(w);
}

/* Score a window by what differs, and once more with detectors never seen, so that all of it travels: the same bits. */
static void same_as_sending_all(struct worker *w, const struct worker_window *window)
{
    static uint64_t fresh = 1000000;
    uint64_t key[ROWS];
    float by_difference[ROWS * OUT], whole[ROWS * OUT];
    struct worker_window all = *window;
    for (int i = 0; i < window->n_row; i++)
        key[i] = fresh++;
    all.key = key;
    CHECK_INT(worker_window(w, CURVE, window, by_difference, soon(), &e), BURST_OK);
    CHECK_INT(worker_window(w, CURVE, &all, whole, soon(), &e), BURST_OK);
    CHECK(memcmp(by_difference, whole, (size_t)window->n_row * OUT * sizeof(float)) == 0);
}

TEST(what_differs_gives_the_same_windows_as_all)
{
    float want[ROWS * OUT], answer[ROWS * OUT];
    struct worker *w = lane_ready(&SOCKET);
    int64_t k = 0;
    for (int turn = 0; turn < 140; turn++, k += 16) { /* around the ring, whose 2,048 bins are 128 strides */
        int n = 1 + turn % 3;
        stretch_make(&stretch, k, n, 300);
        if (turn % 5 == 2)
            stretch.counts[0][turn % ATOMS][turn * 13 % BINS] += 3; /* late, and gone again the next time */
        if (turn % 7 == 3) stretch.valid[0][turn * 11 % BINS] ^= 1;
        if (turn % 9 == 4) stretch.key[0] = 305; /* another detector in the first row */
        same_as_sending_all(w, &stretch.window);
        if (turn == 60) k = INT64_C(1) << 40; /* a jump ahead ... */
        if (turn == 100) k = 7;               /* ... and back, not even to a stride */
    }
    CHECK_INT(worker_window(w, CURVE, &stretch.window, answer, soon(), &e), BURST_OK);
    own_window(&stretch.window, want);
    check_close(answer, want, (int64_t)stretch.window.n_row * OUT, 1e-4, "the last window");
    worker_free(w);
}

TEST(a_refused_window_does_not_spoil_the_next)
{
    float want[ROWS * OUT], answer[ROWS * OUT];
    struct worker *w = lane_ready(&SOCKET);
    stretch_make(&stretch, 4000, 2, 300);
    CHECK_INT(worker_window(w, CURVE, &stretch.window, answer, soon(), &e), BURST_OK);
    CHECK_INT(worker_window(w, CURVE, &stretch.window, answer, clock_mono_ns() - 1, &e), BURST_E_LATE);
    stretch_make(&stretch, 4016, 2, 300);
    CHECK_INT(worker_window(w, CURVE, &stretch.window, answer, soon(), &e), BURST_OK);
    own_window(&stretch.window, want);
    check_close(answer, want, 2 * OUT, 1e-4, "window");
    worker_free(w);
}

TEST(a_map_is_what_plain_c_makes_of_the_feature_map)
{
    float cam[75], want[75], logits[OUT];
    static float feature[8 * 75];
    struct net_head from;
    struct head head = {0};
    struct worker_window one;
    struct worker *w = lane_ready(&SOCKET);
    stretch_make(&stretch, 4000, 3, 300);
    CHECK_INT(worker_cam(w, CURVE, &stretch.window, 1, cam, soon(), &e), BURST_OK);
    one = stretch.window;
    one.n_row = 1;
    one.counts += ATOMS * BINS;
    one.valid += BINS;
    own_window(&one, logits);
    CHECK_INT(net_head(curve_own.plain, &from, &e), BURST_OK);
    CHECK_INT(net_read(curve_own.plain, from.name, feature, 8 * 75, NULL, &e), BURST_OK);
    for (head.n_layer = 0; head.n_layer < from.n_layer; head.n_layer++) {
        const struct net_layer *l = &from.layer[head.n_layer];
        head.layer[head.n_layer] = (struct head_layer){l->n_in, l->n_out, l->weight, l->bias, l->relu};
    }
    cam_plane(&head, from.n_channel, from.n_position, feature, 1, want);
    check_close(cam, want, 75, 1e-5, "map");
    bool some = false;
    for (int i = 0; i < 75; i++)
        some = some || want[i] > 0;
    CHECK(some);
    worker_free(w);
}

TEST(sub_images_are_scored_as_plain_scores_them)
{
    static float snr[PIXELS], answer[200 * OUT];
    static uint8_t mask[PIXELS];
    int32_t without[200];
    float want[OUT];
    struct worker *w = lane_new(&SOCKET, NULL);
    give_models(w, 0, false);
    if (!lane_up(w)) return worker_free(w);
    image_make(snr, mask);
    CHECK_INT(worker_image(w, IMAGE, snr, mask, answer, soon(), &e), BURST_OK);
    own_image(snr, mask, IMAGE_WHOLE, want);
    check_close(answer, want, OUT, 1e-4, "image");
    for (int i = 0; i < 200; i++)
        without[i] = i == 0 ? IMAGE_WITHOUT_SOURCES : i == 1 ? IMAGE_WHOLE : i * 15;
    CHECK_INT(worker_occlude(w, IMAGE, snr, mask, without, 200, answer, soon(), &e), BURST_OK);
    for (int i = 0; i < 200; i++) {
        own_image(snr, mask, without[i], want);
        check_close(answer + i * OUT, want, OUT, 1e-4, "variant");
    }
    worker_free(w);
}

TEST(floats_run_and_every_tensor_can_be_read)
{
    static float input[8 * BANDS * BINS], feature[8 * 8 * 75], want_feature[8 * 8 * 75];
    float answer[8 * OUT], want[8 * OUT], *to = answer;
    const float *from = input;
    size_t n = 0;
    struct worker *w = lane_new(&SOCKET, NULL);
    give_models(w, 8, true);
    if (!lane_up(w)) return worker_free(w);
    for (int i = 0; i < 8 * BANDS * BINS; i++)
        input[i] = (float)(i * 7919 % 1000) / 250 - 2;
    CHECK_REFUSED(worker_read(w, CURVE, "c", feature, 8 * 8 * 75, &n, soon(), &e), BURST_E_STATE, e, "nothing was run");
    CHECK_INT(worker_run(w, CURVE, &from, 8, &to, soon(), &e), BURST_OK);
    CHECK_INT(net_run(curve_own.plain, input, 8, want, &e), BURST_OK);
    check_close(answer, want, 8 * OUT, 1e-4, "run");
    CHECK_INT(worker_read(w, CURVE, "c.relu", feature, 8 * 8 * 75, &n, soon(), &e), BURST_OK);
    CHECK_INT(n, 8 * 8 * 75);
    CHECK_INT(net_read(curve_own.plain, "c.relu", want_feature, 8 * 8 * 75, NULL, &e), BURST_OK);
    check_close(feature, want_feature, 8 * 8 * 75, 1e-4, "tensor");
    CHECK_INT(worker_read(w, CURVE, "c", feature, 8 * 8 * 75, &n, soon(), &e), BURST_OK); /* before the ReLU */
    CHECK_INT(worker_read(w, CURVE, "nobody", feature, 8 * 8 * 75, &n, soon(), &e), BURST_E_MISSING);
    CHECK_INT(worker_state(w), WORKER_READY);
    worker_free(w);
}

TEST(a_network_can_be_replaced_while_the_lane_lives)
{
    float answer[OUT], want[OUT];
    struct worker *w = lane_ready(&SOCKET);
    struct worker_model m = {.role = WORKER_PLAIN, .bytes = curve_own.bytes, .n = curve_own.n / 2};
    stretch_make(&stretch, 4000, 1, 300);
    for (int turn = 0; turn < 3; turn++) {
        give_models(w, 2 + turn, false);
        CHECK_INT(worker_window(w, CURVE, &stretch.window, answer, soon(), &e),
                  BURST_E_STATE); /* not before it is loaded */
        if (!lane_up(w)) break;
        CHECK_INT(worker_slot(w, CURVE)->batch, 2 + turn);
        CHECK_INT(worker_window(w, CURVE, &stretch.window, answer, soon(), &e), BURST_OK);
        own_window(&stretch.window, want);
        check_close(answer, want, OUT, 1e-4, "window");
    }
    CHECK_INT(worker_model(w, IMAGE, &m, &e), BURST_OK); /* half a file */
    CHECK(lane_up(w));
    CHECK_INT(worker_slot(w, IMAGE)->state, WORKER_SLOT_REFUSED);
    CHECK_INT(worker_slot(w, CURVE)->state, WORKER_SLOT_LOADED);
    worker_free(w);
}

TEST(a_thousand_jobs_of_changing_sizes)
{
    static uint8_t out[1 << 20], back[1 << 20];
    for (int way = 0; way < 2; way++) {
        struct worker *w = lane_ready(WAYS[way]);
        for (uint64_t i = 0, x = 1; i < 1000; i++) {
            x = x * UINT64_C(6364136223846793005) + 1;
            size_t n = (x >> 33) % (i % 20 == 0 ? sizeof out + 1 : 3000);
            memset(out, (int)(x >> 56), n);
            if (n) out[n - 1] = (uint8_t)i;
            if (worker_echo(w, out, n, back, soon(), &e) || memcmp(out, back, n) != 0) {
                CHECK_SAY(false, "echo %llu of %zu bytes: %s", (unsigned long long)i, n, e.text);
                break;
            }
        }
        worker_free(w);
    }
}

/* ---- three lanes of one worker ---- */

struct rider {
    struct worker *w;
    int number, n_wrong;
};

static void *ride(void *at)
{
    struct rider *r = at;
    struct stretch *own = calloc(1, sizeof *own);
    struct burst_error error = {0};
    float answer[ROWS * OUT], first[ROWS * OUT] = {0};
    for (int turn = 0; own && turn < 60; turn++) {
        char out[32], back[32] = {0};
        (void)snprintf(out, sizeof out, "lane %d turn %d", r->number, turn);
        if (worker_echo(r->w, out, sizeof out, back, soon(), &error) || strcmp(out, back) != 0) r->n_wrong++;
        stretch_make(own, 1000 * r->number + 16 * (turn % 4), 3, 300);
        if (worker_window(r->w, CURVE, &own->window, answer, soon(), &error)) r->n_wrong++;
        if (turn == 0) memcpy(first, answer, sizeof first);
        if (turn % 4 == 0 && memcmp(first, answer, 3 * OUT * sizeof *first) != 0)
            r->n_wrong++; /* the same window again */
    }
    if (!own) r->n_wrong++;
    free(own);
    return NULL;
}

TEST(three_lanes_at_once_do_not_mix)
{
    struct worker_settings settings[3] = {{0}, {.background = true}, {.precision = WORKER_BF16}};
    struct rider rider[3] = {{0}};
    pthread_t thread[3];
    for (int i = 0; i < 3; i++) {
        rider[i].number = i;
        rider[i].w = lane_new(&settings[i], i ? worker_socket(rider[0].w) : NULL);
        give_models(rider[i].w, 4, false);
        CHECK(lane_up(rider[i].w));
    }
    CHECK_INT(worker_facts(rider[0].w)->pid, worker_facts(rider[2].w)->pid);
    for (int i = 0; i < 3; i++)
        CHECK_INT(pthread_create(&thread[i], NULL, ride, &rider[i]), 0);
    for (int i = 0; i < 3; i++) {
        CHECK_INT(pthread_join(thread[i], NULL), 0);
        CHECK_INT(rider[i].n_wrong, 0);
    }
    for (int i = 2; i >= 0; i--)
        worker_free(rider[i].w);
}

int main(void)
{
    if (!find_program()) {
        printf("skip worker_lanes: %s was not built\n", program);
        return 0;
    }
    if (no_card()) {
        printf("skip worker_lanes: no usable device\n");
        return 0;
    }
    scene_open();
    RUN(a_worker_is_started_says_who_it_is_and_echoes);
    RUN(a_worker_that_is_let_go_ends);
    RUN(windows_are_scored_as_plain_scores_them);
    RUN(rows_that_are_not_scored_are_left_out);
    RUN(what_differs_gives_the_same_windows_as_all);
    RUN(a_refused_window_does_not_spoil_the_next);
    RUN(a_map_is_what_plain_c_makes_of_the_feature_map);
    RUN(sub_images_are_scored_as_plain_scores_them);
    RUN(floats_run_and_every_tensor_can_be_read);
    RUN(a_network_can_be_replaced_while_the_lane_lives);
    RUN(a_thousand_jobs_of_changing_sizes);
    RUN(three_lanes_at_once_do_not_mix);
    scene_close();
    return check_report();
}
