/* events.c - TensorBoard's event files. A record is the length of the payload,
 * its masked CRC-32C, the payload, its masked CRC-32C; the payload is the
 * protocol buffer Event {wall_time = 1, step = 2, file_version = 3,
 * summary = 5}. */
#include "apps/events.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- Checksums ---------------------------------------------------------- */

/* Castagnoli's polynomial, bits reversed. */
static uint32_t crc32c(const unsigned char *bytes, size_t size)
{
    uint32_t crc = 0xFFFFFFFFu;
    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82F63B78u : 0);
    }
    return ~crc;
}

static uint32_t masked(const unsigned char *bytes, size_t size)
{
    uint32_t crc = crc32c(bytes, size);
    return (crc >> 15 | crc << 17) + 0xA282EAD8u;
}

/* ---- Protocol buffers: a key, then a value ------------------------------ */

enum { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };

static void put_varint(FILE *f, uint64_t x)
{
    for (; x >= 128; x >>= 7)
        fputc((int)(x & 127) | 128, f);
    fputc((int)x, f);
}

static void put_key(FILE *f, int field, int kind)
{
    put_varint(f, (uint64_t)(field << 3 | kind));
}

static void put_little(FILE *f, uint64_t x, int bytes)
{
    for (int i = 0; i < bytes; i++)
        fputc((int)(x >> 8 * i & 255), f);
}

static void put_double(FILE *f, double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    put_little(f, bits, 8);
}

static void put_bytes(FILE *f, int field, const void *bytes, size_t size)
{
    put_key(f, field, BYTES);
    put_varint(f, size);
    fwrite(bytes, 1, size, f);
}

static void put_fixed(FILE *f, int field, double x)
{
    put_key(f, field, FIXED64);
    put_double(f, x);
}

static void put_integer(FILE *f, int field, uint64_t x)
{
    put_key(f, field, VARINT);
    put_varint(f, x);
}

/* ---- Messages inside messages ------------------------------------------- */

typedef struct {
    FILE *out;
    char *text;
    size_t size;
} message;

static bool begin(message *m)
{
    *m = (message){0};
    m->out = open_memstream(&m->text, &m->size);
    return m->out || hg_fail(HG_ERROR_MEMORY, "no memory for an event");
}

static void drop(message *m)
{
    if (m->out)
        fclose(m->out);
    free(m->text);
    *m = (message){0};
}

/* From here on its text is whole. */
static bool end(message *m)
{
    bool ok = !fclose(m->out);
    m->out = NULL;
    return ok || hg_fail(HG_ERROR_MEMORY, "no memory for an event");
}

/* Puts a message into another, as one of its fields. */
static bool nest(const message *outer, int field, message *m)
{
    bool ok = end(m);
    if (ok)
        put_bytes(outer->out, field, m->text, m->size);
    drop(m);
    return ok;
}

static void put_record(FILE *f, const message *m)
{
    unsigned char length[8];
    for (int i = 0; i < 8; i++)
        length[i] = (unsigned char)((uint64_t)m->size >> 8 * i & 255);
    fwrite(length, 1, 8, f);
    put_little(f, masked(length, 8), 4);
    fwrite(m->text, 1, m->size, f);
    put_little(f, masked((unsigned char *)m->text, m->size), 4);
}

static bool begin_event(message *e, int64_t step)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (!begin(e))
        return false;
    put_fixed(e->out, 1, (double)now.tv_sec + 1e-9 * (double)now.tv_nsec);
    put_integer(e->out, 2, (uint64_t)step);
    return true;
}

static bool end_event(FILE *f, message *e)
{
    if (!end(e))
        return false;
    put_record(f, e);
    return !fflush(f) ||
           hg_fail(HG_ERROR_IO, "the event file cannot be written: %s",
                   strerror(errno));
}

/* An event with the summary of one value, each inside the one before. */
typedef struct {
    message event, summary, value;
} summary_event;

/* Writes the tag of the value; its own field is the caller's. end_value follows
 * whatever this gives. */
static bool begin_value(summary_event *s, int64_t step, const char *tag)
{
    *s = (summary_event){0};
    if (!begin_event(&s->event, step) || !begin(&s->summary) ||
        !begin(&s->value))
        return false;
    put_bytes(s->value.out, 1, tag, strlen(tag));
    return true;
}

static bool end_value(FILE *f, summary_event *s, bool ok)
{
    ok = ok && nest(&s->summary, 1, &s->value) &&
         nest(&s->event, 5, &s->summary) && end_event(f, &s->event);
    drop(&s->value);
    drop(&s->summary);
    drop(&s->event);
    return ok;
}

/* ---- What is written ---------------------------------------------------- */

bool event_version(FILE *f)
{
    static const char version[] = "brain.Event:2";
    message e;
    bool ok = begin_event(&e, 0);
    if (ok)
        put_bytes(e.out, 3, version, sizeof version - 1);
    ok = ok && end_event(f, &e);
    drop(&e);
    return ok;
}

bool event_scalar(FILE *f, int64_t step, const char *tag, double value)
{
    summary_event s;
    float single = (float)value;
    uint32_t bits;
    memcpy(&bits, &single, sizeof bits);
    bool ok = begin_value(&s, step, tag);
    if (ok) {
        put_key(s.value.out, 2, FIXED32);
        put_little(s.value.out, bits, 4);
    }
    return end_value(f, &s, ok);
}

static uint32_t big_endian(const unsigned char *b)
{
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 |
           b[3];
}

bool event_image(FILE *f, int64_t step, const char *tag, const char *path)
{
    summary_event s;
    message image;
    size_t size = 0;
    unsigned char *png = (unsigned char *)read_file(path, &size);
    if (!png || size < 33) {
        free(png);
        return true; /* there is no such picture */
    }
    bool ok = begin_value(&s, step, tag) && begin(&image);
    if (ok) {
        put_integer(image.out, 1, big_endian(png + 20)); /* height */
        put_integer(image.out, 2, big_endian(png + 16)); /* width */
        put_integer(image.out, 3, png[25] & 2 ? 3 : 1);  /* colours */
        put_bytes(image.out, 4, png, size);
        ok = nest(&s.value, 4, &image);
    }
    free(png);
    return end_value(f, &s, ok);
}

enum { BUCKETS = 30 };

static void put_doubles(FILE *f, int field, const double *x, int n)
{
    put_key(f, field, BYTES);
    put_varint(f, 8 * (uint64_t)n);
    for (int i = 0; i < n; i++)
        put_double(f, x[i]);
}

static void put_buckets(FILE *f, const hg_real *values, int64_t count,
                        double low, double high)
{
    double limit[BUCKETS], number[BUCKETS] = {0};
    double width = high > low ? (high - low) / BUCKETS : 1;
    for (int i = 0; i < BUCKETS; i++)
        limit[i] = low + (i + 1) * width;
    for (int64_t i = 0; i < count; i++) {
        double at = ((double)values[i] - low) / width;
        if (at >= 0)
            number[at < BUCKETS ? (int)at : BUCKETS - 1]++;
    }
    put_doubles(f, 6, limit, BUCKETS);
    put_doubles(f, 7, number, BUCKETS);
}

bool event_histogram(FILE *f, int64_t step, const char *tag,
                     const hg_real *values, int64_t count)
{
    summary_event s;
    message histo;
    double low = INFINITY, high = -INFINITY, sum = 0, squares = 0;
    for (int64_t i = 0; i < count; i++) {
        double x = (double)values[i];
        low = fmin(low, x);
        high = fmax(high, x);
        sum += x;
        squares += x * x;
    }
    if (count < 1 || !isfinite(sum))
        return true;
    bool ok = begin_value(&s, step, tag) && begin(&histo);
    if (ok) {
        put_fixed(histo.out, 1, low);
        put_fixed(histo.out, 2, high);
        put_fixed(histo.out, 3, (double)count);
        put_fixed(histo.out, 4, sum);
        put_fixed(histo.out, 5, squares);
        put_buckets(histo.out, values, count, low, high);
        ok = nest(&s.value, 5, &histo);
    }
    return end_value(f, &s, ok);
}
