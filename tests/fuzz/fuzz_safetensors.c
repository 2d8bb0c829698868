/* fuzz_safetensors.c - weight files, read all or nothing, and what fits. */
#include "fuzz.h"
#include "nn/nn.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    hg_context *context = fuzz_context();
    hg_params *p = hg_params_new(context);
    const char *path = fuzz_file("x.safetensors", bytes, size);
    hg_param(p, "a", HG_SHAPE(2, 3), HG_NORMAL);
    hg_param(p, "b.weight", HG_SHAPE(4), HG_NORMAL);
    hg_counter(p, "n");
    fuzz_judge(hg_params_load(p, path));
    fuzz_judge(hg_params_load_matching(p, path) >= 0);
    hg_context_free(context);
    return 0;
}
