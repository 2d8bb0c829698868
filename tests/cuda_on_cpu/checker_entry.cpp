// How the checker is called, and how it reports: the entry points that code
// compiled with -fsanitize=thread calls, in place of libtsan's.
#include "checker.h"

#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <set>
#include <string>
#include <tuple>

namespace cuda_on_cpu
{
void *reserve(size_t bytes)
{
    void *p = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) {
        perror("cuda on cpu: no addresses for the checker");
        abort();
    }
    return p;
}

static Address origin()
{
    return (Address)&reserve;
}

int32_t relative(Address caller)
{
    return (int32_t)(int64_t)(caller - origin());
}

// The source line of a return address, by addr2line.
static std::string source_line(Address caller)
{
    Dl_info info;
    link_map *object;
    char command[600], line[400] = "?", self[40];
    if (!dladdr1((void *)caller, &info, (void **)&object, RTLD_DL_LINKMAP))
        return line;
    snprintf(self, sizeof self, "/proc/%d/exe", (int)getpid());
    snprintf(command, sizeof command, "addr2line -e '%.400s' %#lx 2>/dev/null",
             *object->l_name ? object->l_name : self,
             (unsigned long)(caller - 1 - object->l_addr));
    FILE *pipe = popen(command, "r");
    if (!pipe)
        return line;
    if (fgets(line, sizeof line, pipe))
        line[strcspn(line, "\n (")] = 0;
    pclose(pipe);
    const char *slash = strrchr(line, '/');
    return slash ? slash + 1 : line;
}

void report(const char *what, const Access &access, const Stamp *other)
{
    static std::set<std::tuple<std::string, Address, Address>> said;
    Address other_caller =
        other ? origin() + (Address)(int64_t)other->caller : 0;
    if (!said.insert({what, access.caller, other_caller}).second)
        return;
    std::string here = source_line(access.caller);
    if (!now.in_kernel) {
        problem("%s, at %s (address %#lx)", what, here.c_str(),
                (unsigned long)access.address);
        return;
    }
    if (!other) {
        problem("%s, in %s, block %u thread %u at %s (address %#lx)", what,
                now.kernel, now.block, now.thread, here.c_str(),
                (unsigned long)access.address);
        return;
    }
    problem("%s, in %s: block %u thread %u at %s, and block %u thread %u at "
            "%s (address %#lx)",
            what, now.kernel, now.block, now.thread, here.c_str(), other->block,
            (unsigned)other->thread, source_line(other_caller).c_str(),
            (unsigned long)access.address);
}

extern "C" void cuda_on_cpu_checker_atomic(void *p, size_t n,
                                           const void *caller)
{
    check_access({(Address)p, n, true, true, true, (Address)caller});
}
} // namespace cuda_on_cpu

using cuda_on_cpu::Address;
using cuda_on_cpu::check_access;

#define CALLER ((Address)__builtin_return_address(0))
#define ENTRY(name, n, is_write)                                               \
    void __tsan_##name##n(void *p)                                             \
    {                                                                          \
        if (!cuda_on_cpu::is_own((Address)p))                                  \
            check_access({(Address)p, n, is_write, false, true, CALLER});      \
    }                                                                          \
    void __tsan_unaligned_##name##n(void *p)                                   \
    {                                                                          \
        if (!cuda_on_cpu::is_own((Address)p))                                  \
            check_access({(Address)p, n, is_write, false, false, CALLER});     \
    }

extern "C" {
ENTRY(read, 1, false)
ENTRY(read, 2, false)
ENTRY(read, 4, false)
ENTRY(read, 8, false)
ENTRY(read, 16, false)
ENTRY(write, 1, true)
ENTRY(write, 2, true)
ENTRY(write, 4, true)
ENTRY(write, 8, true)
ENTRY(write, 16, true)

void __tsan_read_range(void *p, size_t n)
{
    check_access({(Address)p, n, false, false, false, CALLER});
}

void __tsan_write_range(void *p, size_t n)
{
    check_access({(Address)p, n, true, false, false, CALLER});
}

// Newer clangs call these in place of the C library's.
void *__tsan_memcpy(void *to, const void *from, size_t n)
{
    check_access({(Address)from, n, false, false, false, CALLER});
    check_access({(Address)to, n, true, false, false, CALLER});
    return memcpy(to, from, n);
}

void *__tsan_memset(void *to, int value, size_t n)
{
    check_access({(Address)to, n, true, false, false, CALLER});
    return memset(to, value, n);
}

void __tsan_vptr_update(void **, void *)
{
}

void __tsan_vptr_read(void **)
{
}

void __tsan_func_entry(void *)
{
}

void __tsan_func_exit(void)
{
}

void __tsan_init(void)
{
}
}
