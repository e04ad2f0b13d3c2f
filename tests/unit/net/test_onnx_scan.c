/* The walk over wire bytes: fields by hand, from protobuf's encoding rules. */
#include "check.h"
#include "net/onnx_scan.h"

static struct burst_error error;

#define SCAN(root, ...) onnx_scan((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}), root, &error)

TEST(whole_messages_pass)
{
    CHECK_INT(onnx_scan(NULL, 0, SCAN_MODEL, &error), BURST_OK);
    CHECK_INT(SCAN(SCAN_MODEL, 0x08, 0x07, 0x3a, 0x00), BURST_OK);           /* ir_version 7, empty graph */
    CHECK_INT(SCAN(SCAN_TENSOR, 0x4a, 0x04, 1, 2, 3, 4), BURST_OK);          /* raw_data of 4 bytes */
    CHECK_INT(SCAN(SCAN_ATTRIBUTE, 0x15, 0, 0, 0x80, 0x3f), BURST_OK);       /* f = 1 */
    CHECK_INT(SCAN(SCAN_ATTRIBUTE, 0x19, 0, 0, 0, 0, 0, 0, 0, 0), BURST_OK); /* an unknown 64-bit field */
    CHECK_INT(SCAN(SCAN_MODEL, 0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01), BURST_OK);
}

TEST(what_runs_past_its_end_is_cut_short)
{
    CHECK_REFUSED(SCAN(SCAN_MODEL, 0x08), BURST_E_TRUNCATED, error, "a model runs past its end at byte 1");
    CHECK_REFUSED(SCAN(SCAN_MODEL, 0x08, 0x80), BURST_E_TRUNCATED, error, "byte 2");
    CHECK_REFUSED(SCAN(SCAN_MODEL, 0x3a, 0x05, 0x00), BURST_E_TRUNCATED, error, "byte 2");
    CHECK_REFUSED(SCAN(SCAN_MODEL, 0x3a, 0x02, 0x0a, 0x01), BURST_E_TRUNCATED, error,
                  "a graph runs past its end at byte 4");
    CHECK_REFUSED(SCAN(SCAN_TENSOR, 0x4d, 1, 2, 3), BURST_E_TRUNCATED, error, "a tensor");
    CHECK_REFUSED(SCAN(SCAN_MODEL, 0x3a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01), BURST_E_TRUNCATED,
                  error, "byte 11");
}

TEST(other_wire_formats_are_refused)
{
    CHECK_REFUSED(SCAN(SCAN_MODEL, 0x0b), BURST_E_FORMAT, error, "wire type 3 in a model");
    CHECK_REFUSED(SCAN(SCAN_MODEL, 0x0f), BURST_E_FORMAT, error, "wire type 7");
    CHECK_REFUSED(SCAN(SCAN_MODEL, 0x02, 0x00), BURST_E_FORMAT, error, "field 0");
    CHECK_REFUSED(SCAN(SCAN_MODEL, 0x38, 0x01), BURST_E_FORMAT, error, "field 7 of a model before byte 2 is a number");
    CHECK_REFUSED(SCAN(SCAN_MODEL, 0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01),
                  BURST_E_FORMAT, error, "more than 10 bytes");
}

TEST(messages_that_could_hold_themselves_are_refused)
{
    CHECK_REFUSED(SCAN(SCAN_ATTRIBUTE, 0x32, 0x00), BURST_E_UNSUPPORTED, error, "a subgraph");
    CHECK_REFUSED(SCAN(SCAN_NODE, 0x2a, 0x02, 0x5a, 0x00), BURST_E_UNSUPPORTED, error,
                  "a list of subgraphs (at byte 4)");
    CHECK_REFUSED(SCAN(SCAN_TYPE, 0x22, 0x00), BURST_E_UNSUPPORTED, error, "a sequence type");
    CHECK_REFUSED(SCAN(SCAN_VALUE_INFO, 0x12, 0x02, 0x2a, 0x00), BURST_E_UNSUPPORTED, error, "a map type");
    CHECK_REFUSED(SCAN(SCAN_MODEL, 0xca, 0x01, 0x00), BURST_E_UNSUPPORTED, error, "functions");
    CHECK_INT(onnx_scan((const uint8_t *)"\x32", 2, SCAN_ATTRIBUTE, NULL), BURST_E_UNSUPPORTED);
}

int main(void)
{
    RUN(whole_messages_pass);
    RUN(what_runs_past_its_end_is_cut_short);
    RUN(other_wire_formats_are_refused);
    RUN(messages_that_could_hold_themselves_are_refused);
    return check_report();
}
