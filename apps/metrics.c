/* metrics.c - metrics.jsonl, train.log and the progress line. */
#include "apps/train.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool log_metrics(trainer *t, json_t *object)
{
    char *text = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    bool ok =
        text && fprintf(t->metrics, "%s\n", text) > 0 && !fflush(t->metrics);
    free(text);
    return ok || hg_fail(HG_ERROR_IO,
                         "%s/metrics.jsonl cannot be written; is the disk "
                         "full?",
                         t->folder);
}

void log_line(trainer *t, const char *format, ...)
{
    char line[512];
    va_list list;
    va_start(list, format);
    vsnprintf(line, sizeof line, format, list);
    va_end(list);
    clear_progress();
    if (!t->s.quiet)
        fprintf(stderr, "%s\n", line);
    if (t->log) {
        fprintf(t->log, "%s\n", line);
        fflush(t->log);
    }
}

/* ---- Terms -------------------------------------------------------------- */

static int term_row(terms *m, const char *name)
{
    for (int i = 0; i < m->count; i++)
        if (!strcmp(m->name[i], name))
            return i;
    if (m->count == MOST_TERMS)
        return -1;
    m->name[m->count] = name;
    m->sum[m->count] = 0;
    return m->count++;
}

bool collect_terms(trainer *t)
{
    terms *m = &t->terms;
    const char *name;
    hg_real mean;
    for (int i = 0; (name = hg_report_name(t->w.context, i)); i++) {
        int row = term_row(m, name);
        if (row >= 0 && hg_report_mean(t->w.context, name, &mean))
            m->sum[row] += (double)mean * (double)m->taken;
    }
    m->images += m->taken;
    m->taken = 0;
    return !hg_error();
}

void reset_terms(trainer *t)
{
    t->terms.count = 0;
    t->terms.images = t->terms.taken = 0;
    t->epoch_seconds = 0;
    t->epoch_steps = 0;
}

double term_mean(const trainer *t, const char *name)
{
    for (int i = 0; i < t->terms.count; i++)
        if (!strcmp(t->terms.name[i], name) && t->terms.images)
            return t->terms.sum[i] / (double)t->terms.images;
    return NAN;
}

void add_terms(const trainer *t, json_t *object)
{
    for (int i = 0; i < t->terms.count; i++) {
        double mean = term_mean(t, t->terms.name[i]);
        if (isfinite(mean))
            json_object_set_new(object, t->terms.name[i], json_real(mean));
    }
}

/* ---- Progress ----------------------------------------------------------- */

static _Thread_local double drawn;

void clear_progress(void)
{
    if (drawn > 0)
        fputs("\r\033[K", stderr);
    drawn = 0;
}

static void draw(const trainer *t, int64_t batch, int64_t batches,
                 double elapsed)
{
    char bar[21];
    int filled = (int)(20 * batch / batches);
    for (int i = 0; i < 20; i++)
        bar[i] = i < filled ? '#' : ' ';
    bar[20] = 0;
    double left = elapsed / (double)batch * (double)(batches - batch);
    fprintf(stderr,
            "\r\033[Kepoch %lld/%lld %3d%% [%s] %lld/%lld  %.1fk img/s  "
            "%.0fs<%.0fs",
            (long long)t->epoch + 1, (long long)t->s.epochs,
            (int)(100 * batch / batches), bar, (long long)batch,
            (long long)batches,
            1e-3 * (double)(batch * t->s.batch_size) / elapsed, elapsed, left);
    fflush(stderr);
}

void show_progress(trainer *t, int64_t batch, int64_t batches, double started)
{
    double now = seconds_now();
    if (t->s.quiet || now - drawn < 0.1 || !isatty(2) || !batches || !batch)
        return;
    drawn = now;
    draw(t, batch, batches, now - started + 1e-9);
}
