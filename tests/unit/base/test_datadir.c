#include "base/datadir.h"
#include "check.h"
#include <stdlib.h>

TEST(the_environment_comes_first)
{
    char path[64];
    struct burst_error e;
    CHECK_INT(setenv("BURST_DATADIR", "/data", 1), 0);
    CHECK_INT(datadir_find(path, sizeof path, &e), BURST_OK);
    CHECK_STR(path, "/data");
    CHECK_REFUSED(datadir_find(path, 5, &e), BURST_E_LIMIT, e, "5 characters, at most 4");
    CHECK_STR(path, "/data");
}

TEST(a_build_in_its_source_tree_finds_that)
{
    char path[4096];
    struct burst_error e;
    CHECK_INT(unsetenv("BURST_DATADIR"), 0);
    CHECK_INT(datadir_find(path, sizeof path, &e), BURST_OK);
    CHECK_STR(path, BURST_SOURCE_DIR); /* this program runs below it */
}

int main(void)
{
    RUN(the_environment_comes_first);
    RUN(a_build_in_its_source_tree_finds_that);
    return check_report();
}
