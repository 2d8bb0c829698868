/* golden_fixture.h - reading what the scripts of tests/golden/ have written. */
#ifndef HG_TEST_GOLDEN_FIXTURE_H
#define HG_TEST_GOLDEN_FIXTURE_H

#include "support.h"

#include "tensor/random.h"

#include <jansson.h>

UNUSED static json_t *open_golden(const char *name)
{
    const char *root = getenv("HOURGLASS_TEST_SOURCE");
    char path[4096];
    json_error_t why;
    snprintf(path, sizeof path, "%s/tests/golden/%s", root ? root : ".", name);
    json_t *file = json_load_file(path, 0, &why);
    ck_assert_msg(file != NULL, "%s: %s", path, why.text);
    return file;
}

UNUSED static const json_t *member(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    ck_assert_msg(value != NULL, "%s is missing", name);
    return value;
}

UNUSED static int64_t whole(const json_t *object, const char *name)
{
    return json_integer_value(member(object, name));
}

UNUSED static double number(const json_t *object, const char *name)
{
    return json_number_value(member(object, name));
}

UNUSED static double element(const json_t *list, size_t i)
{
    return json_number_value(json_array_get(list, i));
}

UNUSED static const char *text(const json_t *object, const char *name)
{
    return json_string_value(member(object, name));
}

#endif
