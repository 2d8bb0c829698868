/* cuda_fuse.c - runs a queue in as few launches as fuse.c finds: asks its
 * entries for their parts, writes the tables of the joint kernels, and sends
 * them to the device ahead of what reads them. */
#include "tensor/cuda.h"

#include <stdio.h>
#include <string.h>

/* ---- Memory ------------------------------------------------------------- */

static size_t rounded(size_t bytes)
{
    return (bytes + 255) / 256 * 256;
}

/* Device memory without an error where there is none, for what is not needed.
 * It is freed with the device. */
static void *try_device(hg_device *d, size_t bytes)
{
    void *p = NULL;
    if (cudaMalloc(&p, bytes) != cudaSuccess) {
        cudaGetLastError();
        return NULL;
    }
    d->context->device_bytes += bytes;
    return p;
}

static bool more_waiting(hg_device *d, size_t bytes)
{
    hg_fuser *f = &d->fuser;
    size_t before = f->waiting ? f->waiting->bytes : 0;
    size_t size = 2 * (bytes + before) + (1 << 16); /* soon one holds all */
    hg_device_slab *s = hg_memory_try(d->context, sizeof *s);
    if (!s)
        return false;
    *s = (hg_device_slab){f->waiting, try_device(d, size), size};
    if (!s->data) {
        hg_memory_release(d->context, s, sizeof *s);
        return false;
    }
    f->waiting = s;
    f->waiting_used = 0;
    return true;
}

/* Earlier slabs stay: a graph may still use them. */
void *hg_part_room(hg_context *context, size_t bytes)
{
    hg_fuser *f = &context->gpu->fuser;
    if ((!f->waiting || f->waiting_used + bytes > f->waiting->bytes) &&
        !more_waiting(context->gpu, bytes))
        return NULL;
    void *p = (char *)f->waiting->data + f->waiting_used;
    f->waiting_used += rounded(bytes);
    return p;
}

static size_t bytes_a_part(void)
{
    return sizeof(hg_part) + sizeof(hg_launch) + sizeof(hg_place);
}

static bool room_for_parts(hg_device *d, int parts)
{
    hg_fuser *f = &d->fuser;
    hg_context *c = d->context;
    if (!f->room && !(f->room = hg_memory_try(c, sizeof *f->room)))
        return false;
    if (parts <= f->part_room)
        return true;
    hg_memory_release(c, f->parts, (size_t)f->part_room * bytes_a_part());
    f->part_room = 0;
    f->parts = hg_memory_try(c, 2 * (size_t)parts * bytes_a_part());
    if (!f->parts)
        return false;
    f->part_room = 2 * parts;
    f->launch = (hg_launch *)(f->parts + f->part_room);
    f->place = (hg_place *)(f->launch + f->part_room);
    return true;
}

/* The plan that had this table before is forgotten, its graph too. */
static void release_there(hg_device *d, int slot)
{
    hg_fuser *f = &d->fuser;
    if (!f->there[slot].table)
        return;
    cudaFree(f->there[slot].table); /* waits for what may still read it */
    d->context->device_bytes -= f->there[slot].room;
    f->there[slot].table = NULL;
}

/* Every part may be a line and a step. */
static bool room_for_table(hg_device *d, int slot, int parts)
{
    hg_fuser *f = &d->fuser;
    size_t bytes = (size_t)parts * (sizeof(hg_line) + sizeof(hg_step) + 32);
    if (f->table_room < bytes) {
        hg_memory_release(d->context, f->table, f->table_room);
        f->table_room = 0;
        f->table = hg_memory_try(d->context, 2 * bytes);
        if (!f->table)
            return false;
        f->table_room = 2 * bytes;
    }
    if (f->there[slot].table && f->there[slot].room >= bytes)
        return true;
    release_there(d, slot);
    f->there[slot].room = bytes + bytes / 2;
    f->there[slot].table = try_device(d, f->there[slot].room);
    return f->there[slot].table;
}

void hg_fuser_close(hg_device *d)
{
    hg_fuser *f = &d->fuser;
    hg_context *c = d->context;
    for (int i = 0; i <= HG_PLANS; i++)
        release_there(d, i);
    for (hg_device_slab *s; (s = f->waiting);) {
        f->waiting = s->next;
        hg_device_release(c, s->data, s->bytes);
        hg_memory_release(c, s, sizeof *s);
    }
    hg_memory_release(c, f->parts, (size_t)f->part_room * bytes_a_part());
    hg_memory_release(c, f->table, f->table_room);
    hg_memory_release(c, f->room, sizeof *f->room);
}

/* ---- Parts -------------------------------------------------------------- */

static void add_parts(hg_fuser *f, const hg_entry_head *e,
                      const void *arguments)
{
    hg_part *p = f->parts + f->part_count;
    memset(p, 0, HG_MOST_PARTS * sizeof *p);
    int count = e->work->parts ? e->work->parts(arguments, p) : 0;
    if (!count)
        *p = (hg_part){.open = true};
    for (int i = 0; i < (count ? count : 1); i++) {
        p[i].name = e->name;
        p[i].arguments = arguments;
        p[i].whole = count < 2;
        if (!p[i].run)
            p[i].run = e->work->run;
        if (p[i].joint)
            f->joint = p[i].joint;
        f->part_count++;
    }
}

static void collect(hg_device *d)
{
    hg_fuser *f = &d->fuser;
    f->part_count = 0;
    if (f->waiting)
        f->waiting_used = 0;
    for (size_t at = 0; at < d->used;) {
        hg_entry_head e;
        memcpy(&e, d->queue + at, sizeof e);
        add_parts(f, &e, d->queue + at + HG_ENTRY_HEAD);
        at += e.bytes;
    }
}

/* Their places, a window after the other. */
static int schedule(hg_fuser *f)
{
    int launches = 0;
    for (int from = 0; from < f->part_count; from += HG_FUSE_WINDOW) {
        int left = f->part_count - from;
        int n = left < HG_FUSE_WINDOW ? left : HG_FUSE_WINDOW;
        int more = hg_fuse(f->room, f->parts + from, n, f->place + from);
        for (int i = from; i < from + n; i++)
            f->place[i].launch += launches;
        launches += more;
    }
    return launches;
}

/* ---- Tables ------------------------------------------------------------- */

static void *table_take(hg_fuser *f, size_t bytes)
{
    size_t size = (bytes + 15) / 16 * 16;
    void *p = f->table + f->table_used;
    f->table_used += size;
    return memset(p, 0, size);
}

/* What the device calls a place in the table. */
static const void *there(const hg_fuser *f, int slot, const void *here)
{
    return f->there[slot].table + ((const char *)here - f->table);
}

static void add_step(hg_line *line, hg_step *steps, const hg_step *step)
{
    hg_step *to = &steps[line->steps];
    *to = *step;
    if (line->steps)
        for (int j = 0; j < to->inputs; j++)
            if (to->dense >> j & 1 && to->in[j] == to[-1].out)
                to->last |= 1u << j;
    line->steps++;
}

/* The parts of one line: its maker, then its maps in their order. */
static void write_line(hg_fuser *f, int slot, int launch, int number,
                       hg_line *line, uint32_t *blocks)
{
    int steps = 0;
    *blocks = 0;
    for (int i = 0; i < f->part_count; i++) {
        const hg_part *p = &f->parts[i];
        if (f->place[i].launch != launch || f->place[i].line != number)
            continue;
        line->n = p->n;
        if (p->role == HG_MAP) {
            steps++;
            continue;
        }
        line->maker = p->maker;
        *blocks = p->blocks;
        memcpy(line->job.bytes, p->job, HG_JOB_BYTES);
    }
    hg_step *step = table_take(f, (size_t)steps * sizeof *step);
    for (int i = 0; i < f->part_count; i++)
        if (f->place[i].launch == launch && f->place[i].line == number &&
            f->parts[i].role == HG_MAP)
            add_step(line, step, &f->parts[i].step);
    line->step = there(f, slot, step);
}

enum { BLOCK = 256, MOST_BLOCKS = 4096 }; /* of maps, as in launch.cuh */

static uint32_t map_blocks(int64_t n)
{
    int64_t blocks = (n + BLOCK - 1) / BLOCK;
    return (uint32_t)(blocks < MOST_BLOCKS ? blocks : MOST_BLOCKS);
}

static void write_lines(hg_fuser *f, int slot, int launch, int lines,
                        hg_launch *l)
{
    hg_line *line = table_take(f, (size_t)lines * sizeof *line);
    l->lines.line = there(f, slot, line);
    for (int number = 0; number < lines; number++) {
        uint32_t blocks;
        hg_line *to = &line[l->lines.lines];
        write_line(f, slot, launch, number, to, &blocks);
        if (!to->steps && !blocks)
            continue; /* it was joined to another */
        uint32_t *first = &l->lines.first[l->lines.lines++];
        first[1] = first[0] + (blocks ? blocks : map_blocks(to->n));
    }
}

/* A part that shares its launch with no other runs as it always does, unless
 * that would read what it does not depend on. */
static bool runs_itself(const hg_part *p, int company)
{
    uint32_t all = (UINT32_C(1) << p->step.inputs) - 1;
    return p->role == HG_ALONE ||
           (company == 1 && p->whole &&
            (p->role == HG_MAKER || (p->step.reads & all) == all));
}

static bool write_launch(hg_fuser *f, int slot, int launch, hg_launch *l)
{
    int count = 0, lines = 0;
    hg_part *first = NULL;
    for (int i = f->part_count; i-- > 0;)
        if (f->place[i].launch == launch) {
            first = &f->parts[i];
            count++;
            if (f->place[i].line >= lines)
                lines = f->place[i].line + 1;
        }
    *l = (hg_launch){.name = first->name, .joint = f->joint};
    if (runs_itself(first, count))
        l->alone = first;
    else if (f->joint)
        write_lines(f, slot, launch, lines, l);
    return l->alone || f->joint;
}

/* Waits for the copy: the next new queue writes its table into the same memory
 * of the host, and where a device reads that memory itself nothing says that
 * it has. A queue that is replayed sends none. */
static bool send_table(hg_device *d, int slot)
{
    hg_fuser *f = &d->fuser;
    cudaStream_t stream = (cudaStream_t)d->stream.handle;
    return !f->table_used ||
           (cudaMemcpyAsync(f->there[slot].table, f->table, f->table_used,
                            cudaMemcpyHostToDevice, stream) == cudaSuccess &&
            cudaStreamSynchronize(stream) == cudaSuccess);
}

bool hg_fuse_queue(hg_device *d, int slot)
{
    hg_fuser *f = &d->fuser;
    if (!d->context->fuse || !room_for_parts(d, HG_MOST_PARTS * d->entries))
        return false;
    collect(d);
    if (!room_for_table(d, slot, f->part_count))
        return false;
    f->table_used = 0;
    f->launch_count = schedule(f);
    for (int i = 0; i < f->launch_count; i++)
        if (!write_launch(f, slot, i, &f->launch[i]))
            return false;
    return send_table(d, slot);
}

/* ---- Running ------------------------------------------------------------ */

static bool run_launch(hg_device *d, const hg_launch *l)
{
    char name[64];
    if (l->alone)
        l->alone->run(&d->stream, l->alone->arguments);
    else
        l->joint(&d->stream, &l->lines);
    cudaError_t error = cudaGetLastError();
    if (error == cudaSuccess)
        return true;
    snprintf(name, sizeof name, "%s%s", l->name,
             l->alone ? "" : " or what shares its launch");
    return hg_cuda_fail(d->context, name, error);
}

bool hg_run_fused(hg_device *d)
{
    bool before = hg_error() != NULL;
    int *i = &d->fuser.launched;
    for (*i = 0; *i < d->fuser.launch_count; ++*i)
        if (!run_launch(d, &d->fuser.launch[*i]) || (!before && hg_error()))
            return false;
    return true;
}

bool hg_fused_ran(const hg_device *d, const void *arguments)
{
    const hg_fuser *f = &d->fuser;
    for (int i = 0; i < f->part_count; i++)
        if (f->parts[i].arguments == arguments &&
            f->place[i].launch >= f->launched)
            return false;
    return true;
}
