/* Any bytes through the gate; whatever it lets pass is then read to the last card, cell and pixel. */
#include "fits/card.h"
#include "fits/gate.h"
#include "fits/image.h"
#include "fits/sum.h"
#include "fits/table.h"
#include "fuzz/fits_mutate.h"

static struct burst_error why;
static volatile double sink; /* keeps the reads */

static void read_cards(const struct fits_hdu *hdu)
{
    for (size_t i = 0; i < hdu->n_card; i++) {
        struct fits_card card;
        char text[FITS_TEXT_MAX];
        int64_t integer = 0;
        double real = 0;
        bool logical = false;
        must(!fits_card_parse(hdu->cards + i * FITS_CARD, hdu->name, 0, &card, &why));
        if (!card.key[0] || card.type == FITS_VALUE_COMMENT) continue;
        (void)fits_key_text(hdu, card.key, text, sizeof text, &why); /* any answer will do: it must be safe */
        (void)fits_key_int(hdu, card.key, -9, 9, &integer, &why);
        (void)fits_key_real(hdu, card.key, -9, 9, &real, &why);
        (void)fits_key_ns(hdu, card.key, &integer, &why);
        (void)fits_key_logical(hdu, card.key, &logical, &why);
        must(fits_key_has(hdu, card.key));
    }
}

static void read_table(const struct fits_hdu *hdu)
{
    struct fits_table t;
    must(!fits_table_view(hdu, &t, &why)); /* the gate has seen it */
    for (int c = 0; c < t.n_column; c++) {
        const struct fits_column *found = NULL;
        (void)fits_table_column(&t, t.column[c].name, 'D', &found, &why);
        size_t n_row = t.n_row < 64 ? t.n_row : 64, n_item = t.column[c].n_item < 64 ? (size_t)t.column[c].n_item : 64;
        for (size_t row = 0; row < n_row; row++) {
            char text[128];
            (void)fits_cell_text(&t, &t.column[c], row, text, sizeof text);
            for (size_t k = 0; k < n_item; k++)
                sink = fits_cell_real(&t, &t.column[c], row, (int64_t)k);
        }
        if (t.n_row) sink = fits_cell_real(&t, &t.column[c], t.n_row - 1, t.column[c].n_item - 1);
    }
}

static void read_image(const struct fits_hdu *hdu)
{
    struct fits_image image;
    if (fits_image_view(hdu, &image, &why)) return;
    for (size_t i = 0; i < image.n_pixel; i++)
        sink = fits_image_pixel(&image, i);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fits_file file;
    if (fits_gate(data, size, &file, &why)) {
        must(why.text[0] != 0);
        return 0;
    }
    must(file.n_hdu >= 1 && file.n_hdu <= FITS_HDU_MAX);
    for (int i = 0; i < file.n_hdu; i++) {
        const struct fits_hdu *hdu = &file.hdu[i];
        must(hdu->data_at <= size && hdu->n_data <= size - hdu->data_at);
        read_cards(hdu);
        if (hdu->kind == FITS_TABLE)
            read_table(hdu);
        else
            read_image(hdu);
    }
    (void)fits_sums_check(&file, &why);
    return 0;
}
