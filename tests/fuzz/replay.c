/* replay.c - feeds every file of a folder to a fuzz target, for builds without
 * a fuzzer: the committed inputs, and those that once were a finding. */
#include "fuzz.h"

#include <dirent.h>

static bool feed(const char *path)
{
    FILE *f = fopen(path, "rb");
    uint8_t *bytes = malloc(1 << 20);
    size_t size = f && bytes ? fread(bytes, 1, 1 << 20, f) : 0;
    bool good = f && bytes;
    if (f)
        fclose(f);
    if (good)
        LLVMFuzzerTestOneInput(bytes, size);
    free(bytes);
    return good;
}

int main(int argc, char **argv)
{
    int fed = 0;
    DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
    for (struct dirent *e; folder && (e = readdir(folder));) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", argv[1], e->d_name);
        if (e->d_name[0] != '.')
            fed += feed(path);
    }
    if (folder)
        closedir(folder);
    printf("%d inputs\n", fed);
    return fed ? 0 : 1;
}
