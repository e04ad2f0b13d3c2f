/* burstctl model: the door for a user's own network and for anyone's parity test. */
#ifndef BURSTCTL_MODEL_H
#define BURSTCTL_MODEL_H
#include "burstctl.h"
#include "net/net.h"

enum { MODEL_FILE_MAX = 16 };

/* The command line after the verb. */
struct model_options {
    const char *path; /* of an .onnx file, or of a folder with model.onnx */
    enum net_backend_id backend;
    bool cuda;          /* --backend cuda: the GPU's worker, not `backend` */
    bool every_backend; /* --backend was not given */
    const char *config; /* where gpu.* stands; NULL: the defaults */
    double tolerance;   /* negative: not given */
    int n_input, n_output;
    const char *input[MODEL_FILE_MAX], *output[MODEL_FILE_MAX];
};

/* Each does its verb and returns the exit status. */
int model_info(const struct model_options *options);
int model_check(const struct model_options *options);
int model_run(const struct model_options *options);

/* Say that the model was refused: EXIT_IO where the file could not be read, else EXIT_CONFIG. */
int tell_model(const struct burst_error *error);
#endif
