// For tools/barriers.py: which barriers a program reaches, and one that it
// passes as if it were not there. Two environment variables:
//
//   CUDA_ON_CPU_PLACES=PATH     appends FILE:LINE of each barrier to PATH
//   CUDA_ON_CPU_SKIP=FILE:LINE  the barrier to skip, FILE may lack folders
#include "block.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <set>
#include <string>
#include <utility>

namespace cuda_on_cpu
{
namespace
{
// Written when the program ends, however it exits.
struct Reached {
    const char *path = getenv("CUDA_ON_CPU_PLACES");
    std::set<std::pair<std::string, int>> places;
    Place last{nullptr, 0};

    void add(Place place)
    {
        if (place.file == last.file && place.line == last.line)
            return;
        last = place;
        places.insert({place.file, place.line});
    }
    ~Reached()
    {
        FILE *file = path && !places.empty() ? fopen(path, "a") : nullptr;
        for (const auto &place : places)
            if (file)
                fprintf(file, "%s:%d\n", place.first.c_str(), place.second);
        if (file)
            fclose(file);
    }
};

// CUDA_ON_CPU_SKIP, taken apart.
struct Skipped {
    std::string file;
    int line = 0;

    Skipped()
    {
        const char *text = getenv("CUDA_ON_CPU_SKIP");
        const char *colon = text ? strrchr(text, ':') : nullptr;
        if (!colon)
            return;
        file.assign(text, (size_t)(colon - text));
        line = atoi(colon + 1);
    }
    bool is(Place place) const
    {
        size_t length = strlen(place.file);
        return place.line == line && length >= file.size() &&
               file == place.file + length - file.size();
    }
};
} // namespace

bool passes(Place place)
{
    static Reached reached;
    static const Skipped skipped;
    if (reached.path)
        reached.add(place);
    return skipped.line && skipped.is(place);
}
} // namespace cuda_on_cpu
