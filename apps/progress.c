/* progress.c - the line that shows how far an epoch is. */
#include "apps/progress.h"
#include "apps/app.h"

#include <math.h>
#include <string.h>
#include <sys/ioctl.h>

static _Thread_local struct {
    double looked, drawn, said; /* when */
} last;

void clear_progress(void)
{
    if (last.drawn > 0)
        fputs("\r\033[K", stderr);
    last.drawn = 0;
}

bool progress_due(void)
{
    double now = seconds_now();
    if (now - last.looked < 0.1)
        return false;
    last.looked = now;
    if (last.said == 0)
        last.said = now;
    return wants_colour(2) || now - last.said >= 30;
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
static void describe(const progress *p, char *text, size_t size, bool bar)
{
    char gauge[24] = "", loss[32] = "", past[32], left[32];
    int64_t filled = 20 * p->steps / p->all;
    double seconds = p->seconds + 1e-9;
    for (int i = 0; bar && i < 23; i++)
        gauge[i] = i == 0           ? ' '
                   : i == 1         ? '['
                   : i == 22        ? ']'
                   : i - 2 < filled ? '#'
                                    : ' ';
    if (isfinite(p->loss))
        snprintf(loss, sizeof loss, "  loss %.5g", p->loss);
    minutes(past, sizeof past, seconds);
    minutes(left, sizeof left,
            seconds / (double)p->timed * (double)(p->all - p->steps));
    snprintf(text, size, "%s %3d%%%s %lld/%lld%s  %.3gk img/s  %s<%s", p->what,
             (int)(100 * p->steps / p->all), gauge, (long long)p->steps,
             (long long)p->all, loss,
             1e-3 * (double)(p->timed * p->batch) / seconds, past, left);
}

/* A line that wraps could not be drawn over. */
static void cut_to_terminal(char *text)
{
    struct winsize size;
    if (!ioctl(2, TIOCGWINSZ, &size) && size.ws_col > 1 &&
        strlen(text) >= size.ws_col)
        text[size.ws_col - 1] = 0;
}

void progress_draw(const progress *p)
{
    char text[256];
    bool terminal = wants_colour(2);
    *(terminal ? &last.drawn : &last.said) = seconds_now();
    describe(p, text, sizeof text, terminal);
    if (terminal)
        cut_to_terminal(text);
    fprintf(stderr, terminal ? "\r\033[K%s" : "%s\n", text);
    fflush(stderr);
}
