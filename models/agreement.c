/* agreement.c - do groups that were found agree with classes that are known?
 */
#include "models/measure.h"
#include "tensor/internal.h"

#include <math.h>
#include <string.h>

enum { MOST = 1000 };

/* ---- Assignment --------------------------------------------------------- */

/* Potentials of rows and columns keep all reduced costs at least 0; each row
 * finds its column by a shortest augmenting path over columns (Jonker and
 * Volgenant, 1987). Row and column 0 are a start that belongs to nobody. */
typedef struct {
    const double *cost;
    int n;
    double *u, *v, *least; /* [n + 1] */
    int *row, *before;     /* [n + 1]: of a column; on the path to it */
    bool *seen;
} matching;

/* Adds the nearest unseen column to the path's tree; returns it. */
static int grow(matching *m, int column)
{
    int next = 0, row = m->row[column];
    double step = INFINITY;
    m->seen[column] = true;
    for (int j = 1; j <= m->n; j++) {
        if (m->seen[j])
            continue;
        double reduced =
            m->cost[(row - 1) * m->n + j - 1] - m->u[row] - m->v[j];
        if (reduced < m->least[j]) {
            m->least[j] = reduced;
            m->before[j] = column;
        }
        if (m->least[j] < step) {
            step = m->least[j];
            next = j;
        }
    }
    for (int j = 0; j <= m->n; j++) {
        if (m->seen[j]) {
            m->u[m->row[j]] += step;
            m->v[j] -= step;
        } else {
            m->least[j] -= step;
        }
    }
    return next;
}

static void place_row(matching *m, int row)
{
    int column = 0;
    m->row[0] = row;
    for (int j = 0; j <= m->n; j++) {
        m->least[j] = INFINITY;
        m->seen[j] = false;
    }
    do
        column = grow(m, column);
    while (m->row[column]);
    for (; column; column = m->before[column])
        m->row[column] = m->row[m->before[column]];
}

bool hg_assign_least(hg_context *context, const double *cost, int n,
                     int *column)
{
    if (!hg_context_usable(context, "hg_assign_least"))
        return false;
    for (int i = 0; i < n * n; i++)
        if (!isfinite(cost[i]))
            return hg_fail(HG_ERROR_NONFINITE,
                           "hg_assign_least: cost (%d, %d) is %g", i / n, i % n,
                           cost[i]);
    size_t one = (size_t)(n + 1);
    size_t size = one * (3 * sizeof(double) + 2 * sizeof(int) + sizeof(bool));
    double *room = hg_memory_allocate(context, size);
    if (!room)
        return false;
    memset(room, 0, size);
    int *rows = (int *)(room + 3 * one);
    matching m = {cost,           n,    room,       room + one,
                  room + 2 * one, rows, rows + one, (bool *)(rows + 2 * one)};
    for (int i = 1; i <= n; i++)
        place_row(&m, i);
    for (int j = 1; j <= n; j++)
        column[m.row[j] - 1] = j - 1;
    hg_memory_release(context, room, size);
    return true;
}

/* ---- Agreement ---------------------------------------------------------- */

typedef struct {
    int groups, classes;
    double n, *count;      /* [groups, classes] */
    double *group, *class; /* totals */
} table;

static double pairs(double n)
{
    return n * (n - 1) / 2;
}

static double entropy(const double *count, int k, double n)
{
    double sum = 0;
    for (int i = 0; i < k; i++)
        if (count[i] > 0)
            sum -= count[i] / n * log(count[i] / n);
    return sum;
}

static double normalised_information(const table *t)
{
    double hg = entropy(t->group, t->groups, t->n);
    double hc = entropy(t->class, t->classes, t->n);
    double both = entropy(t->count, t->groups * t->classes, t->n);
    if (hg + hc <= 0) /* one group, one class */
        return 1;
    return fmax(0, 2 * (hg + hc - both) / (hg + hc));
}

static double adjusted_rand(const table *t)
{
    double both = 0, groups = 0, classes = 0;
    for (int i = 0; i < t->groups * t->classes; i++)
        both += pairs(t->count[i]);
    for (int i = 0; i < t->groups; i++)
        groups += pairs(t->group[i]);
    for (int i = 0; i < t->classes; i++)
        classes += pairs(t->class[i]);
    double expected = t->n > 1 ? groups * classes / pairs(t->n) : 0;
    double most = (groups + classes) / 2;
    return most == expected ? 1 : (both - expected) / (most - expected);
}

/* Items that are right when each group stands for its most frequent class. */
static double by_majority(const table *t)
{
    double right = 0;
    for (int i = 0; i < t->groups; i++) {
        double most = 0;
        for (int j = 0; j < t->classes; j++)
            most = fmax(most, t->count[i * t->classes + j]);
        right += most;
    }
    return right / t->n;
}

/* The same, one to one; a square table. */
static bool by_assignment(hg_context *context, table *t, double *accuracy)
{
    int column[MOST], k = t->groups;
    double right = 0;
    for (int i = 0; i < k * k; i++)
        t->count[i] = -t->count[i];
    bool ok = hg_assign_least(context, t->count, k, column);
    for (int i = 0; i < k * k; i++)
        t->count[i] = -t->count[i];
    for (int i = 0; ok && i < k; i++)
        right += t->count[i * k + column[i]];
    *accuracy = right / t->n;
    return ok;
}

static int largest(const int32_t *v, int64_t n)
{
    int most = -1;
    for (int64_t i = 0; i < n; i++) {
        if (v[i] < 0 || v[i] >= MOST)
            return MOST + 1;
        most = v[i] > most ? v[i] : most;
    }
    return most;
}

static void fill(table *t, const int32_t *group, const int32_t *label,
                 int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        t->count[group[i] * t->classes + label[i]]++;
        t->group[group[i]]++;
        t->class[label[i]]++;
    }
}

bool hg_agree(hg_context *context, const int32_t *group, const int32_t *label,
              int64_t n, hg_agreement *out)
{
    if (!hg_context_usable(context, "hg_agree"))
        return false;
    int groups = largest(group, n) + 1, classes = largest(label, n) + 1;
    if (groups < 1 || classes < 1 || groups > MOST || classes > MOST)
        return hg_fail(HG_ERROR_DATA,
                       "hg_agree: groups and labels must be there and lie "
                       "between 0 and %d",
                       MOST - 1);
    size_t size =
        (size_t)(groups * classes + groups + classes) * sizeof(double);
    double *room = hg_memory_allocate(context, size);
    if (!room)
        return false;
    memset(room, 0, size);
    table t = {groups,
               classes,
               (double)n,
               room,
               room + groups * classes,
               room + groups * classes + groups};
    fill(&t, group, label, n);
    *out = (hg_agreement){by_majority(&t), normalised_information(&t),
                          adjusted_rand(&t), groups == classes};
    bool ok = !out->matched || by_assignment(context, &t, &out->accuracy);
    hg_memory_release(context, room, size);
    return ok;
}
