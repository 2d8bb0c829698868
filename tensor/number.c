/* number.c - numbers in texts, written with a point whatever the user's locale
 * says. */
#define _POSIX_C_SOURCE 200809L
#include "tensor/internal.h"

#include <locale.h>
#include <stdlib.h>

double hg_number_of(const char *text, char **end)
{
    /* Known to the system already: costs neither memory nor time. */
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    locale_t users = plain ? uselocale(plain) : (locale_t)0;
    double number = strtod(text, end);
    if (plain) {
        uselocale(users);
        freelocale(plain);
    }
    return number;
}
