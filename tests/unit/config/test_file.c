/* Files and folders around the configuration. Classes C1 and C15 of the bad-input corpus. */
#include "check.h"
#include "config/config.h"
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/burst-config-XXXXXX";
static struct burst_config config;
static struct config_faults faults;

static const char *file(const char *name)
{
    static char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static const char *write_file(const char *name, const char *text, mode_t mode)
{
    const char *path = file(name);
    FILE *f = fopen(path, "w");
    CHECK(f != NULL);
    if (f) CHECK(fputs(text, f) >= 0 && fclose(f) == 0 && chmod(path, mode) == 0);
    return path;
}

static void refused(const char *path, enum burst_err want, const char *part)
{
    memset(&config, 0x5a, sizeof config);
    struct burst_config before = config;
    enum burst_err err = config_read(path, &config, &faults);
    CHECK_SAY(err == want, "%s gave %s", path, burst_err_name(err));
    CHECK(memcmp(&config, &before, sizeof config) == 0);
    CHECK_INT(faults.n, 1);
    CHECK_SAY(strstr(faults.fault[0].text, part), "\"%s\" lacks \"%s\"", faults.fault[0].text, part);
    CHECK_INT(faults.fault[0].line, 0);
}

TEST(a_file_is_read)
{
    CHECK_INT(config_read(write_file("good.yaml", "site: {name: here}\n", 0644), &config, &faults), BURST_OK);
    CHECK_STR(config.site_name, "here");
    CHECK_INT(config_read(write_file("good.yaml", "{}\n", 0600), &config, NULL), BURST_OK);
    CHECK_STR(config.site_name, "burstd");
}

TEST(a_symlink_to_a_good_file_is_followed)
{
    (void)write_file("good.yaml", "site: {name: linked}\n", 0644);
    char link[128];
    (void)snprintf(link, sizeof link, "%s", file("link.yaml"));
    CHECK_INT(symlink("good.yaml", link), 0);
    CHECK_INT(config_read(link, &config, &faults), BURST_OK);
    CHECK_STR(config.site_name, "linked");
}

TEST(what_is_no_plain_file_is_refused)
{
    refused(file("absent.yaml"), BURST_E_IO, "No such file");
    refused(folder, BURST_E_UNSUPPORTED, "is a folder, not a file");
    refused("/dev/zero", BURST_E_UNSUPPORTED, "is a device or pipe");
    CHECK_INT(mkfifo(file("pipe"), 0600), 0);
    refused(file("pipe"), BURST_E_UNSUPPORTED, "is a device or pipe");
}

TEST(an_empty_file_is_refused)
{
    refused(write_file("empty.yaml", "", 0644), BURST_E_CONFIG, "the file is empty");
}

TEST(a_file_that_everybody_may_write_is_refused)
{
    refused(write_file("open.yaml", "{}\n", 0646), BURST_E_AUTH, "everybody may write it (mode 0646)");
}

TEST(a_file_that_may_not_be_read_is_refused)
{
    const char *path = write_file("closed.yaml", "{}\n", 0000);
    bool root = geteuid() == 0; /* who may read everything */
    if (root) CHECK_INT(seteuid(65534), 0);
    refused(path, BURST_E_IO, "Permission denied");
    if (root) CHECK_INT(seteuid(0), 0);
}

TEST(a_file_over_64_kib_is_refused)
{
    char *text = calloc(1, 70001);
    if (!text) SKIP("no memory");
    memset(text, ' ', 70000);
    refused(write_file("long.yaml", text, 0644), BURST_E_LIMIT, "at most 65536");
    free(text);
}

TEST(a_fault_is_told_with_name_line_and_column)
{
    char text[300];
    CHECK_INT(config_read(write_file("bad.yaml", "log:\n  levle: info\n", 0644), &config, &faults), BURST_E_CONFIG);
    config_fault_text("bad.yaml", &faults.fault[0], text, sizeof text);
    CHECK_STR(text, "bad.yaml:2:3: unknown key log.levle; did you mean log.level?");
    config_fault_text("x", &(struct config_fault){0, 0, "is empty"}, text, sizeof text);
    CHECK_STR(text, "x: is empty");
    config_fault_text("long name", &faults.fault[0], text, 5);
    CHECK_STR(text, "long");
}

TEST(relative_paths_lie_in_the_data_folder)
{
    char path[1024] = "old";
    struct burst_error why;
    CHECK_INT(setenv("BURST_DATADIR", "/data", 1), 0);
    CHECK_INT(config_data_path("models/x", path, sizeof path, &why), BURST_OK);
    CHECK_STR(path, "/data/models/x");
    CHECK_INT(config_data_path("/abs/x", path, sizeof path, &why), BURST_OK);
    CHECK_STR(path, "/abs/x");
    CHECK_INT(unsetenv("BURST_DATADIR"), 0);
    CHECK_INT(config_data_path("models/x", path, sizeof path, &why), BURST_OK);
    CHECK_STR(path, BURST_SOURCE_DIR "/models/x"); /* this program runs inside the source tree */
    (void)snprintf(path, sizeof path, "old");
    CHECK_REFUSED(config_data_path("", path, sizeof path, &why), BURST_E_MISSING, why, "empty");
    CHECK_REFUSED(config_data_path("/12345678", path, 9, &why), BURST_E_LIMIT, why, "at most 8");
    CHECK_STR(path, "old");
}

TEST(the_command_endpoint_is_the_configured_or_the_usual_one)
{
    char endpoint[300] = "old";
    struct burst_error why;
    CHECK_INT(config_command_endpoint("ipc:///x", endpoint, sizeof endpoint, &why), BURST_OK);
    CHECK_STR(endpoint, "ipc:///x");
    CHECK_REFUSED(config_command_endpoint("ipc:///x", endpoint, 8, &why), BURST_E_LIMIT, why, "at most 7");
    if (access("/run/burstd", F_OK) == 0) SKIP("/run/burstd exists here");
    CHECK_INT(setenv("XDG_RUNTIME_DIR", "/run/user/7", 1), 0);
    CHECK_INT(config_command_endpoint("", endpoint, sizeof endpoint, &why), BURST_OK);
    CHECK_STR(endpoint, "ipc:///run/user/7/burstd/command.sock");
    CHECK_INT(unsetenv("XDG_RUNTIME_DIR"), 0);
    CHECK_REFUSED(config_command_endpoint("", endpoint, sizeof endpoint, &why), BURST_E_MISSING, why,
                  "XDG_RUNTIME_DIR");
    CHECK_STR(endpoint, "ipc:///run/user/7/burstd/command.sock");
}

TEST(refused_inputs_lie_beside_the_database_or_where_they_are_told)
{
    char path[300];
    struct burst_error why;
    static struct burst_config c;
    config_defaults(&c);
    CHECK_INT(config_quarantine_folder(&c, path, sizeof path, &why), BURST_OK);
    CHECK_STR(path, "/var/lib/burstd/quarantine");
    strcpy(c.store_database, "/burst.db");
    CHECK_INT(config_quarantine_folder(&c, path, sizeof path, &why), BURST_OK);
    CHECK_STR(path, "/quarantine");
    strcpy(c.quarantine_folder, "/srv/refused");
    CHECK_INT(config_quarantine_folder(&c, path, sizeof path, &why), BURST_OK);
    CHECK_STR(path, "/srv/refused");
    CHECK_REFUSED(config_quarantine_folder(&c, path, 5, &why), BURST_E_LIMIT, why, "at most 4");
    CHECK_STR(path, "/srv/refused");
}

int main(void)
{
    if (!mkdtemp(folder)) return 1;
    RUN(a_file_is_read);
    RUN(a_symlink_to_a_good_file_is_followed);
    RUN(what_is_no_plain_file_is_refused);
    RUN(an_empty_file_is_refused);
    RUN(a_file_that_everybody_may_write_is_refused);
    RUN(a_file_that_may_not_be_read_is_refused);
    RUN(a_file_over_64_kib_is_refused);
    RUN(a_fault_is_told_with_name_line_and_column);
    RUN(relative_paths_lie_in_the_data_folder);
    RUN(refused_inputs_lie_beside_the_database_or_where_they_are_told);
    RUN(the_command_endpoint_is_the_configured_or_the_usual_one);
    static const char *const MADE[] = {"good.yaml", "link.yaml",   "pipe",      "empty.yaml",
                                       "open.yaml", "closed.yaml", "long.yaml", "bad.yaml"};
    for (size_t i = 0; i < sizeof MADE / sizeof MADE[0]; i++)
        (void)unlink(file(MADE[i])); /* some were never made */
    (void)rmdir(folder);
    return check_report();
}
