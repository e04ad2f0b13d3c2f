/* What stands for configuration and catalogue. The digest is Python's hashlib over the same bytes. */
#include "base/bytes.h"
#include "check.h"
#include "science/science.h"

static struct overlay overlay;

static void add(const char *name, double ra_deg, double dec_deg, bool bright)
{
    const struct catalogue none = {0, NULL};
    struct catalogue_source s = {.ra_deg = ra_deg, .dec_deg = dec_deg, .bright = bright};
    (void)snprintf(s.name, sizeof s.name, "%s", name);
    CHECK_INT(overlay_add(&overlay, &none, &s, false, NULL), BURST_OK);
}

static void digest(char ret_hex[65])
{
    uint8_t config[32], out[32];
    for (int i = 0; i < 32; i++)
        config[i] = (uint8_t)i;
    science_image_sha256(config, &overlay, out);
    bytes_hex(out, sizeof out, ret_hex);
}

TEST(without_additions_it_is_the_configurations)
{
    char hex[65];
    memset(&overlay, 0, sizeof overlay);
    digest(hex);
    CHECK_STR(hex, "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
}

TEST(additions_change_it_whatever_their_order)
{
    char hex[65];
    memset(&overlay, 0, sizeof overlay);
    add("A 1", 30.5, -60.25, false);
    add("B 2", 10, 20, true);
    digest(hex);
    CHECK_STR(hex, "469690beb8d2d0835d00b088155174145a77596bbba247b2e8fabff4dcff48e8");
    memset(&overlay, 0, sizeof overlay);
    add("B 2", 10, 20, true);
    add("A 1", 30.500001, -60.25, false); /* the same to 0.00001 degrees */
    digest(hex);
    CHECK_STR(hex, "469690beb8d2d0835d00b088155174145a77596bbba247b2e8fabff4dcff48e8");
    const struct catalogue none = {0, NULL};
    CHECK_INT(overlay_remove(&overlay, &none, "B 2", NULL), BURST_OK);
    digest(hex);
    CHECK(strcmp(hex, "469690beb8d2d0835d00b088155174145a77596bbba247b2e8fabff4dcff48e8") != 0);
}

int main(void)
{
    RUN(without_additions_it_is_the_configurations);
    RUN(additions_change_it_whatever_their_order);
    return check_report();
}
