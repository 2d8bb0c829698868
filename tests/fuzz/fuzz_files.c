/* fuzz_files.c - data files by path; FUZZ_NAME says which kind. What was read
 * is made into a batch. */
#include "datasets/data.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    hg_context *context = fuzz_context();
    hg_data_options whole = {.whole = true};
    const char *path = fuzz_file(FUZZ_NAME, bytes, size);
    hg_data *data = hg_data_open(context, path, whole);
    fuzz_judge(data != NULL);
    hg_scope *s = data ? hg_scope_open(context, HG_EVAL) : NULL;
    if (s) {
        hg_batch b;
        int64_t row = hg_data_size(data) - 1;
        fuzz_judge(hg_data_batch(data, &row, 1, &b));
        hg_scope_close(s);
    }
    hg_context_free(context);
    return 0;
}
