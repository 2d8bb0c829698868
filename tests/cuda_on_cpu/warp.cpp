// Warp operations: each lane publishes its value, mask and source; the last
// lane of the mask to arrive computes what all receive. Lanes that have exited
// are not waited for.
#include "block.h"

#include <algorithm>

namespace cuda_on_cpu
{
// What a shuffle from a lane that takes no part gives: two NaNs.
static const uint64_t undefined_value = 0xffbadbadffbadbadull;

int lane()
{
    return (int)(now.thread & (warp_size - 1));
}

void *dynamic_shared()
{
    return dynamic_memory;
}

void shuffle_width(int width, Place place)
{
    if (width < 1 || width > warp_size || (width & (width - 1)))
        problem("%s: a shuffle of width %d, at %s:%d; it must be a power of "
                "two up to 32",
                now.kernel, width, place.file, place.line);
}

namespace
{
// The lanes from `first` on that take part in one operation.
struct Gathering {
    int first, lanes;
    unsigned mask, here, votes, operations;
    uint32_t syncs;
    uint64_t values[warp_size];

    Thread &thread(int lane) const
    {
        return block.threads[first + lane];
    }
    bool has(int lane) const
    {
        return here >> lane & 1;
    }
};
} // namespace

// False while a lane of the mask that still runs has not arrived.
static bool gather(Gathering &g, int first, unsigned mask)
{
    g = {};
    g.first = first;
    g.lanes = lanes_of(first);
    g.mask = mask;
    unsigned gone = g.lanes < warp_size ? ~0u << g.lanes : 0;
    for (int i = 0; i < g.lanes; i++) {
        const Thread &t = g.thread(i);
        if (t.state == State::done)
            gone |= 1u << i;
        if (t.state != State::in_warp || t.mask != mask)
            continue;
        g.here |= 1u << i;
        g.operations |= 1u << (int)t.operation;
        g.values[i] = t.value;
        g.votes |= (unsigned)(t.value & 1) << i;
        g.syncs = std::max(g.syncs, now.warp_syncs[first + i]);
    }
    return g.here && (mask & ~gone) == g.here;
}

static uint64_t shuffled(const Gathering &g, int lane)
{
    const Thread &t = g.thread(lane);
    if (t.source < warp_size && g.has(t.source))
        return g.values[t.source];
    problem("%s: lane %d shuffles from lane %d, which does not take part "
            "(mask %#x): undefined value, at %s:%d",
            now.kernel, lane, t.source, g.mask, t.place.file, t.place.line);
    return undefined_value;
}

static void complete_lane(const Gathering &g, int lane)
{
    Thread &t = g.thread(lane);
    switch (t.operation) {
    case Warp::sync: // the only one that orders memory
        now.warp_syncs[g.first + lane] = g.syncs + 1;
        break;
    case Warp::shuffle:
        t.value = shuffled(g, lane);
        break;
    case Warp::ballot:
        t.value = g.votes;
        break;
    case Warp::any:
        t.value = g.votes != 0;
        break;
    case Warp::all:
        t.value = g.votes == g.here;
        break;
    }
    t.state = State::ready;
    block.busy[g.first / warp_size]--;
    block.in_warp--;
}

void try_warp(int first, unsigned mask)
{
    Gathering g;
    if (!gather(g, first, mask))
        return;
    if (g.operations & (g.operations - 1))
        problem("%s: lanes of one warp run different warp operations under "
                "mask %#x",
                now.kernel, mask);
    bool reverse = settings().order == Order::reverse;
    for (int k = 0; k < g.lanes; k++)
        if (g.has(k))
            complete_lane(g, k);
    for (int k = 0; k < g.lanes; k++) {
        int lane = reverse ? g.lanes - 1 - k : k;
        if (g.has(lane))
            push_ready(first + lane);
    }
}

uint64_t warp(Warp operation, unsigned mask, uint64_t value, int source,
              Place place)
{
    Thread *self = block.current;
    if (!self) {
        problem("%s:%d: a warp operation outside a kernel", place.file,
                place.line);
        return value;
    }
    if (operation == Warp::sync && passes(place))
        return value;
    int number = (int)(self - block.threads);
    int first = number & ~(warp_size - 1);
    unsigned own = 1u << (number - first);
    if (!(mask & own))
        problem("%s: lane %d runs a warp operation whose mask %#x leaves it "
                "out, at %s:%d",
                now.kernel, number - first, mask, place.file, place.line);
    self->state = State::in_warp;
    self->operation = operation;
    self->mask = mask | own;
    self->value = value;
    self->source = (uint8_t)source;
    self->place = place;
    block.in_warp++;
    int busy = ++block.busy[first / warp_size];
    if (mask != ~0u || busy >= lanes_of(first))
        try_warp(first, self->mask);
    wait_turn();
    return self->value;
}
} // namespace cuda_on_cpu
