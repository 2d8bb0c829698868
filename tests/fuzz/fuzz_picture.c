/* fuzz_picture.c - pictures of all kinds, decoded and made 8 x 8. */
#include "datasets/image.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    uint8_t out[3 * 64];
    hg_context *context = fuzz_context();
    hg_region region = {.context = context};
    hg_image image;
    bool good = hg_image_decode(&region, "x", bytes, size, true, &image);
    fuzz_judge(good);
    /* A picture may be large; here the decoders count, not patience. */
    if (good && image.height * image.width <= 1 << 20) {
        good = hg_image_decode(&region, "x", bytes, size, false, &image);
        fuzz_judge(good);
        if (good)
            fuzz_judge(hg_image_fit(&region, &image, (hg_fit)(size % 3), 8, 8,
                                    size % 2 ? 1 : 3, out));
    }
    hg_region_free(&region);
    hg_context_free(context);
    return 0;
}
