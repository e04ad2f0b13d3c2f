/* Requests of the catalog command: read, or refused by name; nothing is changed by a request that is refused. */
#include "check.h"
#include "daemon/catalog.h"

static struct burst_error error;

static enum burst_err read_text(const char *text, struct catalog_request *r)
{
    json_t *request = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    CHECK_SAY(request != NULL, "no JSON: %s", text);
    enum burst_err err = catalog_read(request, r, &error);
    json_decref(request);
    return err;
}

TEST(every_action_is_read)
{
    struct catalog_request r;
    CHECK_INT(
        read_text("{\"command\":\"catalog\",\"action\":\"add\",\"name\":\"GX 9+9\",\"ra_deg\":262,\"dec_deg\":-16.9617,"
                  "\"bright\":true,\"force\":true,\"by\":\"jo\",\"comment\":\"why not\"}",
                  &r),
        BURST_OK);
    CHECK_INT(r.action, CATALOG_ADD);
    CHECK(!r.change.remove && r.change.force && r.change.source.bright);
    CHECK(r.change.source.ra_deg == 262 && r.change.source.dec_deg == -16.9617);
    CHECK_STR(r.change.source.name, "GX 9+9");
    CHECK_STR(r.change.who, "jo");
    CHECK_STR(r.change.why, "why not");
    CHECK_INT(
        read_text("{\"action\":\"add\",\"name\":\"A\",\"ra_deg\":1,\"dec_deg\":2,\"by\":\"b\",\"comment\":\"c\"}", &r),
        BURST_OK);
    CHECK(!r.change.force && !r.change.source.bright);
    CHECK_INT(read_text("{\"action\":\"remove\",\"name\":\"A\",\"by\":\"b\",\"comment\":\"c\"}", &r), BURST_OK);
    CHECK(r.action == CATALOG_REMOVE && r.change.remove);
    CHECK_INT(read_text("{\"action\":\"show\",\"name\":\"A\"}", &r), BURST_OK);
    CHECK_INT(r.action, CATALOG_SHOW);
    CHECK_INT(read_text("{\"action\":\"list\",\"command\":\"catalog\"}", &r), BURST_OK);
    CHECK_INT(r.action, CATALOG_LIST);
}

static void refused(const char *text, enum burst_err want, const char *part)
{
    struct catalog_request r;
    memset(&r, 0x5a, sizeof r);
    struct catalog_request before = r;
    CHECK_REFUSED(read_text(text, &r), want, error, part);
    CHECK(memcmp(&before, &r, sizeof r) == 0);
}

TEST(what_is_no_request_is_refused)
{
    refused("[]", BURST_E_UNSUPPORTED, "\"action\"");
    refused("{}", BURST_E_UNSUPPORTED, "\"action\"");
    refused("{\"action\":\"drop\"}", BURST_E_UNSUPPORTED, "\"action\"");
    refused("{\"action\":\"list\",\"name\":\"A\"}", BURST_E_FORMAT, "no \"name\"");
    refused(
        "{\"action\":\"list\",\"\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9"
        "\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\":1}",
        BURST_E_FORMAT, "no \"...\"");
    refused("{\"action\":\"show\"}", BURST_E_MISSING, "\"name\"");
    refused("{\"action\":\"show\",\"name\":null}", BURST_E_FORMAT, "\"name\" is no text");
    refused("{\"action\":\"show\",\"name\":\"\"}", BURST_E_LIMIT, "\"name\" has 0 bytes, 1 to 31");
    refused("{\"action\":\"show\",\"name\":\"12345678901234567890123456789012\"}", BURST_E_LIMIT, "has 32 bytes");
    refused("{\"action\":\"show\",\"name\":\"a\\tb\"}", BURST_E_FORMAT, "control character");
    refused("{\"action\":\"remove\",\"name\":\"A\",\"by\":\"b\"}", BURST_E_MISSING, "\"comment\"");
    refused("{\"action\":\"remove\",\"name\":\"A\",\"comment\":\"b\"}", BURST_E_MISSING, "\"by\"");
    refused("{\"action\":\"remove\",\"name\":\"A\",\"by\":\"b\",\"comment\":\"c\",\"force\":true}", BURST_E_FORMAT,
            "no \"force\"");
    refused("{\"action\":\"add\",\"name\":\"A\",\"ra_deg\":\"1\",\"dec_deg\":2,\"by\":\"b\",\"comment\":\"c\"}",
            BURST_E_FORMAT, "\"ra_deg\" is no number");
    refused(
        "{\"action\":\"add\",\"name\":\"A\",\"ra_deg\":1,\"dec_deg\":2,\"by\":\"b\",\"comment\":\"c\",\"bright\":1}",
        BURST_E_FORMAT, "\"bright\" is not true or false");
}

int main(void)
{
    RUN(every_action_is_read);
    RUN(what_is_no_request_is_refused);
    return check_report();
}
