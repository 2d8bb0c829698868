// The rules of the checker. The .cu files are compiled as for ThreadSanitizer,
// which calls us for every load and store; a shadow remembers for every 4
// bytes who wrote and read them last. Two accesses race when they are of one
// launch, by different threads, one of them a write, not both atomic, and
// nothing orders them: blocks are never ordered, threads of a block by
// __syncthreads, lanes of a warp by __syncwarp too.
#include "checker.h"

#include <link.h>
#include <string.h>

#include <algorithm>

// Bounds of the sections of constants and of built-in variables.
extern char __start_cuda_constant[] __attribute__((weak));
extern char __stop_cuda_constant[] __attribute__((weak));
extern char __start_cuda_builtin[], __stop_cuda_builtin[];

namespace cuda_on_cpu
{
namespace
{
enum State : unsigned char { none, raw, set };

// Device or pinned memory with its shadow.
struct Shadow {
    const Range *range = nullptr;
    unsigned char *state = nullptr; // of every byte
    Cell *cells = nullptr;

    void attach(const Range *r);
    bool holds(Address a) const
    {
        return range && range->holds((void *)a);
    }
    unsigned char *state_of(const void *p) const
    {
        return state + ((const char *)p - range->base);
    }
};
Shadow device, pinned;

// A part of the program or of a library: __shared__ variables are in it.
struct Segment {
    Address low, high;
    bool writable;
    Cell *cells;
};
std::vector<Segment> segments;
Cell *dynamic_cells;
} // namespace

void Shadow::attach(const Range *r)
{
    if (range)
        return;
    range = r;
    state = (unsigned char *)reserve(r->size);
    cells = (Cell *)reserve(r->size / 4 * sizeof(Cell));
}

static Shadow *shadow_of(const void *p)
{
    return device.holds((Address)p)   ? &device
           : pinned.holds((Address)p) ? &pinned
                                      : nullptr;
}

static bool within(Address a, const char *low, const char *high)
{
    return a - (Address)low < (Address)(high - low);
}

// ---- Segments of the program

static int add_segments(dl_phdr_info *object, size_t, void *)
{
    for (int k = 0; k < object->dlpi_phnum; k++) {
        const ElfW(Phdr) &part = object->dlpi_phdr[k];
        if (part.p_type != PT_LOAD)
            continue;
        Address begin = object->dlpi_addr + part.p_vaddr;
        segments.push_back({begin & ~(Address)15, begin + part.p_memsz,
                            (part.p_flags & PF_W) != 0, nullptr});
    }
    return 0;
}

static Segment *known_segment(Address a)
{
    static size_t last; // accesses come in runs
    if (last < segments.size() && segments[last].low <= a &&
        a < segments[last].high)
        return &segments[last];
    for (size_t k = 0; k < segments.size(); k++)
        if (segments[k].low <= a && a < segments[k].high) {
            last = k;
            return &segments[k];
        }
    return nullptr;
}

static Segment *segment_of(Address a)
{
    Segment *found = known_segment(a);
    if (found)
        return found;
    std::vector<Segment> before; // a library may have been loaded
    before.swap(segments);
    dl_iterate_phdr(add_segments, nullptr);
    for (Segment &s : segments)
        for (const Segment &old : before)
            if (s.low == old.low)
                s.cells = old.cells;
    return known_segment(a);
}

// ---- Races

static bool ordered(const Stamp &then, const Stamp &now)
{
    if (then.block != now.block)
        return false;
    if (then.barriers != now.barriers)
        return true;
    bool one_warp = then.thread / warp_size == now.thread / warp_size;
    return one_warp && then.warp_syncs < now.warp_syncs;
}

static bool same_thread(const Stamp &a, const Stamp &b)
{
    return a.block == b.block && a.thread == b.thread;
}

static bool clash(const Stamp &then, const Stamp &now)
{
    return then.launch == now.launch && (then.bytes & now.bytes) &&
           !same_thread(then, now) && !(then.atomic && now.atomic) &&
           !ordered(then, now);
}

// Shared memory is that of one block: another block's stamps mean nothing.
static bool races(const Stamp &then, const Stamp &now, bool shared)
{
    return !(shared && then.block != now.block) && clash(then, now);
}

static void note_read(Cell &cell, const Stamp &stamp)
{
    const Stamp &last = cell.reads[0];
    if (last.bytes && last.launch == stamp.launch && !same_thread(last, stamp))
        cell.reads[last.block == stamp.block ? 1 : 2] = last;
    cell.reads[0] = stamp;
}

// The same thread again, with no barrier between: nothing new.
static bool repeats(const Stamp &then, const Stamp &now)
{
    return then.launch == now.launch && same_thread(then, now) &&
           then.barriers == now.barriers && then.warp_syncs == now.warp_syncs &&
           then.bytes == now.bytes && then.atomic == now.atomic;
}

static void touch(Cell &cell, const Stamp &stamp, const Access &access,
                  bool shared)
{
    if (repeats(access.write ? cell.write : cell.reads[0], stamp))
        return;
    if (races(cell.write, stamp, shared))
        report(access.write ? "race: two writes"
                            : "race: read of a value another thread writes",
               access, &cell.write);
    if (!access.write) {
        note_read(cell, stamp);
        return;
    }
    for (const Stamp &read : cell.reads)
        if (races(read, stamp, shared)) {
            report("race: write of a value another thread reads", access,
                   &read);
            break;
        }
    cell.write = stamp;
    if (stamp.bytes == 15)
        for (Stamp &read : cell.reads)
            read.bytes = 0;
}

static bool shared_is_unwritten(const Cell &cell)
{
    return cell.write.launch != now.launch || cell.write.block != now.block ||
           !cell.write.bytes;
}

// ---- Places

static Stamp stamp_of(const Access &access)
{
    Stamp stamp = {};
    stamp.launch = now.launch;
    stamp.block = now.block;
    stamp.barriers = (uint16_t)now.barriers;
    stamp.warp_syncs = (uint16_t)now.warp_syncs[now.thread];
    stamp.caller = relative(access.caller);
    stamp.thread = now.thread & (max_threads - 1);
    stamp.atomic = access.atomic;
    return stamp;
}

static void touch_all(Cell *cell, const Access &access, bool shared)
{
    Stamp stamp = stamp_of(access);
    Address a = access.address, end = a + access.bytes;
    for (Address p = a & ~(Address)3; p < end; p += 4, cell++) {
        unsigned mask = 15;
        if (p < a)
            mask &= 15u << (a - p);
        if (p + 4 > end)
            mask &= 15u >> (p + 4 - end);
        stamp.bytes = mask & 15;
        if (shared && (!access.write || access.atomic) &&
            shared_is_unwritten(*cell)) {
            report("read of shared memory this block never wrote", access);
            cell->write = stamp;
            continue;
        }
        touch(*cell, stamp, access, shared);
    }
}

// False, and said, where the bytes are no allocation.
static bool allocated(unsigned char *state, const Access &access)
{
    uint32_t four;
    memcpy(&four, state, sizeof four); // the common case at once
    if (access.bytes == 4 && four == set * 0x01010101u)
        return true;
    for (size_t i = 0; i < access.bytes; i++) {
        if (state[i] == none) {
            report(access.write ? "write outside an allocation"
                                : "read outside an allocation",
                   access);
            return false;
        }
        if (state[i] == raw && (!access.write || access.atomic)) {
            report("read of device memory never written", access);
            state[i] = set;
        }
        if (access.write)
            state[i] = set;
    }
    return true;
}

static void access_global(const Shadow &shadow, const Access &access)
{
    if (!allocated(shadow.state_of((void *)access.address), access))
        return;
    size_t offset = access.address - (Address)shadow.range->base;
    touch_all(shadow.cells + offset / 4, access, false);
}

static void access_dynamic(const Access &access)
{
    size_t offset = access.address - (Address)dynamic_memory;
    if (offset + access.bytes > now.shared_bytes) {
        report("access beyond the launch's dynamic shared memory", access);
        return;
    }
    if (!dynamic_cells)
        dynamic_cells = (Cell *)reserve(max_dynamic_shared / 4 * sizeof(Cell));
    touch_all(dynamic_cells + offset / 4, access, true);
}

static void access_static(const Access &access)
{
    Segment *s = segment_of(access.address);
    if (!s) {
        report("kernel uses a host pointer", access);
        return;
    }
    bool constant =
        !s->writable ||
        (__start_cuda_constant &&
         within(access.address, __start_cuda_constant, __stop_cuda_constant));
    if (constant) {
        if (access.write)
            report("kernel writes constant memory", access);
        return;
    }
    if (!s->cells)
        s->cells = (Cell *)reserve((s->high - s->low + 64) / 4 * sizeof(Cell));
    touch_all(s->cells + (access.address - s->low) / 4, access, true);
}

static void check_alignment(const Access &access)
{
    size_t n = std::min(access.bytes, (size_t)16);
    if (access.aligned && !(n & (n - 1)) && (access.address & (n - 1)))
        report("misaligned access", access);
}

void check_access(const Access &access)
{
    Address a = access.address;
    if (is_own(a) || within(a, __start_cuda_builtin, __stop_cuda_builtin))
        return;
    if (!now.in_kernel) {
        if (device.holds(a))
            report("host code uses a device pointer", access);
        return;
    }
    check_alignment(access);
    Shadow *shadow = shadow_of((void *)a);
    if (shadow)
        access_global(*shadow, access);
    else if (within(a, dynamic_memory, dynamic_memory + max_dynamic_shared))
        access_dynamic(access);
    else
        access_static(access);
}

// ---- What the runtime tells

static void check_host_side(const void *p, size_t n, const char *who,
                            bool write)
{
    Shadow *shadow = shadow_of(p);
    if (!shadow) {
        problem("%s: %p is not device memory", who, p);
        return;
    }
    unsigned char *state = shadow->state_of(p);
    for (size_t i = 0; i < n; i++) {
        if (state[i] == none || (!write && state[i] == raw)) {
            problem(
                "%s: %s %p + %zu, %s", who, write ? "writes" : "reads", p, i,
                state[i] == none ? "outside an allocation" : "never written");
            return;
        }
        if (write)
            state[i] = set;
    }
}

extern "C" {
void cuda_on_cpu_checker_allocated(const Range *range, void *p, size_t n)
{
    Shadow &shadow = range == &device_range() ? device : pinned;
    shadow.attach(range);
    // The host writes pinned memory unseen.
    memset(shadow.state_of(p), &shadow == &pinned ? set : raw, n);
}

void cuda_on_cpu_checker_freed(void *p, size_t n)
{
    memset(shadow_of(p)->state_of(p), none, n);
}

void cuda_on_cpu_checker_written(void *p, size_t n, const char *who)
{
    check_host_side(p, n, who, true);
}

void cuda_on_cpu_checker_read(const void *p, size_t n, const char *who)
{
    check_host_side(p, n, who, false);
}

// What was never written stays so where it is copied to.
void cuda_on_cpu_checker_copied(void *to, const void *from, size_t n)
{
    if (!device.holds((Address)to))
        return;
    if (device.holds((Address)from))
        memmove(device.state_of(to), device.state_of(from), n);
    else
        memset(device.state_of(to), set, n);
}
}
} // namespace cuda_on_cpu
