/* fuzz_pack.c - packed sets. An input is the header and what follows; the
 * padding between them, a page of zeros, is put in here. The first and last
 * item of both parts are made into batches. */
#include "datasets/data.h"
#include "fuzz.h"

enum { HEADER = 112, PAGE = 4096, MOST = 1 << 16 };

static void look(hg_context *context, hg_data *part)
{
    int64_t rows[2] = {0, hg_data_size(part) - 1};
    hg_batch b;
    hg_scope *s = rows[1] >= 0 ? hg_scope_open(context, HG_EVAL) : NULL;
    if (!s)
        return;
    fuzz_judge(hg_data_batch(part, rows, 2, &b));
    hg_scope_close(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static uint8_t file[PAGE + MOST];
    size_t head = size < HEADER ? size : HEADER, rest = size - head;
    if (rest > MOST)
        return 0;
    memcpy(file, bytes, head);
    if (rest)
        memcpy(file + PAGE, bytes + head, rest);
    hg_context *context = fuzz_context();
    const char *path = fuzz_file("x.pack", file, rest ? PAGE + rest : head);
    hg_data *data = hg_data_open(context, path, (hg_data_options){0});
    fuzz_judge(data != NULL);
    if (data) {
        look(context, hg_data_split(data, "train", 0.3));
        look(context, hg_data_split(data, "val", 0.3));
        hg_data *test = hg_data_split(data, "test", 0);
        if (test)
            look(context, test);
        else
            fuzz_judge(false);
    }
    hg_context_free(context);
    return 0;
}
