/* metrics.c - metrics.jsonl, train.log and the progress line. */
#include "apps/train.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

bool log_json(trainer *t, int file, json_t *object)
{
    char *text = json_dumps(object, JSON_COMPACT);
    bool told = file != METRICS || tensorboard_scalars(t, object);
    json_decref(object);
    bool ok = told && text && fprintf(t->file[file], "%s\n", text) > 0 &&
              !fflush(t->file[file]);
    free(text);
    return ok ||
           hg_fail(HG_ERROR_IO,
                   "%s/%s cannot be written: %s; make room, then "
                   "`hourglass resume %s`",
                   t->folder, log_names[file], strerror(errno), t->folder);
}

void log_line(trainer *t, const char *format, ...)
{
    char line[1024];
    va_list list;
    va_start(list, format);
    vsnprintf(line, sizeof line, format, list);
    va_end(list);
    clear_progress();
    if (!t->s.quiet)
        fprintf(stderr, "%s\n", line);
    if (t->file[LOG]) {
        fprintf(t->file[LOG], "%s\n", line);
        fflush(t->file[LOG]);
    }
}

/* ---- Terms -------------------------------------------------------------- */

double term_mean(const trainer *t, const char *name)
{
    double sum;
    int64_t count;
    if (!hg_report_sum(t->w.context, name, &sum, &count) || !count)
        return NAN;
    return sum / (double)count;
}

bool terms_are_finite(const trainer *t)
{
    const char *name;
    double sum;
    int64_t count;
    for (int i = 0; (name = hg_report_name(t->w.context, i)); i++)
        if (hg_report_sum(t->w.context, name, &sum, &count) && !isfinite(sum))
            return hg_fail(HG_ERROR_NONFINITE,
                           "%s is not finite in epoch %lld; try a smaller "
                           "--lr, or `hourglass resume %s --anomaly` to see "
                           "where it begins",
                           name, (long long)t->epoch + 1, t->folder);
    return !hg_error();
}

bool reset_terms(trainer *t)
{
    const char *name;
    t->epoch_seconds = 0;
    t->epoch_steps = t->epoch_images = 0;
    for (int i = 0; (name = hg_report_name(t->w.context, i)); i++)
        if (!hg_report_set(t->w.context, name, 0, 0))
            return false;
    return true;
}

void add_terms(const trainer *t, json_t *object)
{
    const char *name;
    for (int i = 0; (name = hg_report_name(t->w.context, i)); i++) {
        double mean = term_mean(t, name);
        if (isfinite(mean))
            json_object_set_new(object, name, json_real(mean));
    }
}

/* ---- Progress ----------------------------------------------------------- */

static _Thread_local struct {
    double looked, drawn, said; /* when */
} progress;

void clear_progress(void)
{
    if (progress.drawn > 0)
        fputs("\r\033[K", stderr);
    progress.drawn = 0;
}

static void minutes(char *text, size_t size, double seconds)
{
    long long s = (long long)(seconds + 0.5);
    if (s < 3600)
        snprintf(text, size, "%lld:%02lld", s / 60, s % 60);
    else
        snprintf(text, size, "%lld:%02lld:%02lld", s / 3600, s / 60 % 60,
                 s % 60);
}

/* epoch 3/20  62% [#####   ] 580/938  loss 27.4  52.7k img/s  0:01<0:01 */
static void describe(const trainer *t, char *text, size_t size, bool bar,
                     double elapsed)
{
    int64_t n = t->epoch_steps, all = hg_loader_batches(t->loader);
    char gauge[24] = "", loss[32] = "", past[32], left[32];
    int64_t filled = 20 * n / all;
    for (int i = 0; bar && i < 23; i++)
        gauge[i] = i == 0           ? ' '
                   : i == 1         ? '['
                   : i == 22        ? ']'
                   : i - 2 < filled ? '#'
                                    : ' ';
    if (isfinite(term_mean(t, "loss")))
        snprintf(loss, sizeof loss, "  loss %.5g", term_mean(t, "loss"));
    minutes(past, sizeof past, elapsed);
    minutes(left, sizeof left, elapsed / (double)n * (double)(all - n));
    snprintf(text, size,
             "epoch %lld/%lld %3d%%%s %lld/%lld%s  %.3gk img/s  %s<%s",
             (long long)t->epoch + 1, (long long)t->s.epochs,
             (int)(100 * n / all), gauge, (long long)n, (long long)all, loss,
             1e-3 * (double)(n * t->s.batch_size) / elapsed, past, left);
}

/* A line that wraps could not be drawn over. */
static void cut_to_terminal(char *text)
{
    struct winsize size;
    if (!ioctl(2, TIOCGWINSZ, &size) && size.ws_col > 1 &&
        strlen(text) >= size.ws_col)
        text[size.ws_col - 1] = 0;
}

void show_progress(trainer *t, double started)
{
    char text[256];
    double now = seconds_now();
    if (t->s.quiet || now - progress.looked < 0.1) /* this is every step */
        return;
    progress.looked = now;
    bool terminal = wants_colour(2);
    double *last = terminal ? &progress.drawn : &progress.said;
    if (!terminal && *last == 0)
        *last = now;
    if (!t->epoch_steps || (!terminal && now - *last < 30))
        return;
    *last = now;
    describe(t, text, sizeof text, terminal, now - started + 1e-9);
    if (terminal)
        cut_to_terminal(text);
    fprintf(stderr, terminal ? "\r\033[K%s" : "%s\n", text);
    fflush(stderr);
}
