#include "daemon/cuda/models.h"
#include "base/datadir.h"
#include <glob.h>
#include <stdio.h>

static enum burst_err visit_shipped(models_visitor *visit, void *context, struct burst_error *reterr)
{
    char folder[4096], pattern[4200];
    glob_t found = {0};
    enum burst_err err = datadir_find(folder, sizeof folder, reterr);
    if (err) return err;
    (void)snprintf(pattern, sizeof pattern, "%s/models/*/*/model.onnx", folder);
    if (glob(pattern, 0, NULL, &found) != 0 || !found.gl_pathc)
        err = burst_fail(reterr, BURST_E_MISSING, "no model at %s", pattern);
    for (size_t i = 0; !err && i < found.gl_pathc; i++)
        err = visit(context, found.gl_pathv[i], reterr);
    globfree(&found);
    return err;
}

enum burst_err models_visit(const char *const *model, int n_model, models_visitor *visit, void *context,
                            struct burst_error *reterr)
{
    enum burst_err err = n_model ? BURST_OK : visit_shipped(visit, context, reterr);
    for (int i = 0; !err && i < n_model; i++)
        err = visit(context, model[i], reterr);
    return err;
}
