/* Any bytes as a file of choices: refused, or what is taken of them can be written and read again as the same choices. Seeds:
 * tests/fuzz/corpus/net_choices. */
#include "net/choices.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void check_same(const struct choices *a, const struct choices *b)
{
    if (a->n != b->n) abort();
    for (int i = 0; i < a->n; i++) {
        const struct choice *x = &a->item[i], *y = choices_find(b, x->shape);
        if (!y || x->engine != y->engine || x->form != y->form || x->n_knob != y->n_knob) abort();
        if (memcmp(x->knob, y->knob, (size_t)x->n_knob * sizeof x->knob[0]) != 0) abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static char path[] = "/tmp/fuzz-net-choices-XXXXXX";
    static int file = -1;
    if (file < 0) file = mkstemp(path);
    if (file < 0) abort();
    struct choices a, b;
    choices_init(&a, "cudnn 91900, bf16, NVIDIA H200");
    choices_init(&b, a.title);
    if (choices_parse(&a, bytes, n, NULL) == BURST_OK && a.n > 0) {
        if (choices_write(&a, path, NULL) != BURST_OK || choices_read(&b, path, NULL) != BURST_OK) abort();
        check_same(&a, &b);
    }
    choices_fini(&a);
    choices_fini(&b);
    return 0;
}
