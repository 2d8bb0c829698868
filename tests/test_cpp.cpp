// test_cpp.cpp - hourglass.h compiles as C++17 and links.
#include "hourglass.h"

int main()
{
    hg_context *context = hg_context_new("cpu", 1);
    if (context == nullptr || hg_error() != nullptr)
        return 1;
    hg_context_free(context);
    return 0;
}
