/* Any bytes as a layout and rows: every implementation of event_bin must make the same of them as plain C.
 * Layout of an input: one byte; if it is odd, the rest are the draws of tests/unit/kernels/event_random.h, else 64 of them are and
 * what follows are the rows as they stand. Seeds: tests/fuzz/corpus/kernels_event_bin. */
#include "unit/kernels/event_random.h"

enum { N_DRAW = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static struct table table;
static struct outcome want, got;

static void make_table(const uint8_t *bytes, size_t n)
{
    bool drawn = n && bytes[0] % 2;
    size_t n_draw = n ? n - 1 : 0;
    if (!drawn && n_draw > N_DRAW) n_draw = N_DRAW;
    struct draw d = {.state = 1, .bytes = bytes + (n > 0), .n = n_draw};
    if (drawn) {
        draw_table(&d, &table, 1 + draw_below(&d, 100));
        return;
    }
    draw_layout(&d, &table);
    size_t left = n ? n - 1 - n_draw : 0;
    if (left > sizeof table.rows) left = sizeof table.rows;
    table.n_row = left / table.l.row_bytes;
    table.first = table.rows;
    if (left) memcpy(table.rows, bytes + 1 + n_draw, left);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    make_table(bytes, n);
    bool step_over = n && bytes[0] & 2;
    int64_t shift = n && bytes[0] & 4 ? -1 : 0;
    table_bin(event_bin_portable(), &table, shift, step_over, &want);
    for (int i = 1; i < N_CALL; i++) {
        if (!call_of(i)) continue;
        table_bin(call_of(i), &table, shift, step_over, &got);
        if (outcome_compare(&want, &got) >= 0) abort();
    }
    return 0;
}
