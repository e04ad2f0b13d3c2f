/* Arguments of burst-classify. */
#include "options.h"
#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const char HELP[] =
    "usage: burst-classify [--json] [--backend auto|cuda|cpu|plain] [--config FILE] FILE...\n"
    "\n"
    "Event files (Fermi/GBM TTE, GECAM, SVOM/GRM), ECLAIRs sub-images and notices (JSON, VOEvent) in, final verdicts "
    "out.\n"
    "Files of one instrument are read together, in order of time; a trigger in a notice is answered by the data beside "
    "it.\n"
    "Nothing is published and nothing is kept.\n"
    "\n"
    "  --json           one verdict per line as burstd would send it\n"
    "  --backend NAME   what runs the networks: cpu, plain C, the GPU (cuda: burst-cuda is waited for, started where "
    "none\n"
    "                   runs, and cpu answers for it where there is none), or the GPU where a worker runs, else cpu "
    "(auto)\n"
    "  --config FILE    burstd.yaml with thresholds, models, catalogue (default: every key at its default)\n"
    "\n"
    "Exit status: 0 done, whatever the verdicts; 1 a file was refused; 2 usage; 3 configuration or model; 4 "
    "input/output.\n";

static int read_config(const char *path, struct burst_config *ret_config)
{
    static struct config_faults faults;
    char line[1024];
    if (config_read(path, ret_config, &faults) == BURST_OK) return -1;
    for (int i = 0; i < faults.n; i++) {
        config_fault_text(path, &faults.fault[i], line, sizeof line);
        (void)fprintf(stderr, "burst-classify: %s\n", line);
    }
    return EXIT_CONFIG;
}

static int set_backend(const char *word, struct burst_config *config)
{
    static const char *const words[] = {[CONFIG_BACKEND_AUTO] = "auto",
                                        [CONFIG_BACKEND_CUDA] = "cuda",
                                        [CONFIG_BACKEND_CPU] = "cpu",
                                        [CONFIG_BACKEND_PLAIN] = "plain"};
    for (int i = 0; i < (int)(sizeof words / sizeof words[0]); i++)
        if (strcmp(words[i], word) == 0) {
            config->models_backend = i;
            return -1;
        }
    (void)fprintf(stderr, "burst-classify: --backend %s: auto, cuda, cpu or plain\n", word);
    return EXIT_USAGE;
}

int options_parse(int argc, char **argv, struct options *ret_options)
{
    static const struct option table[] = {
        {"json", no_argument, NULL, 'j'},         {"backend", required_argument, NULL, 'b'},
        {"config", required_argument, NULL, 'c'}, {"version", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},         {0}};
    const char *backend = NULL, *config = NULL;
    config_defaults(&ret_options->config);
    for (int c; (c = getopt_long(argc, argv, "h", table, NULL)) != -1;)
        switch (c) {
        case 'j': ret_options->json = true; break;
        case 'b': backend = optarg; break;
        case 'c': config = optarg; break;
        case 'v': return puts("burst-classify " BURST_VERSION) < 0 ? EXIT_IO : EXIT_DONE;
        case 'h': return fputs(HELP, stdout) < 0 ? EXIT_IO : EXIT_DONE;
        default: (void)fputs("try burst-classify --help\n", stderr); return EXIT_USAGE;
        }
    ret_options->n_file = argc - optind;
    ret_options->file = argv + optind;
    if (!ret_options->n_file) {
        (void)fputs("burst-classify: no files; try burst-classify --help\n", stderr);
        return EXIT_USAGE;
    }
    int status = config ? read_config(config, &ret_options->config) : -1;
    if (status < 0 && backend) status = set_backend(backend, &ret_options->config);
    struct burst_config *c = &ret_options->config; /* a few files are judged before a GPU has been got ready */
    if (c->models_backend == CONFIG_BACKEND_AUTO) (void)snprintf(c->gpu_program, sizeof c->gpu_program, "none");
    c->gpu_canary_s = 0; /* and done before a card falls asleep */
    return status;
}
