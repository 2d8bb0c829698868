/* device.h - which device the tests run on: HOURGLASS_TEST_DEVICE, or the CPU.
 */
#ifndef HG_TEST_DEVICE_H
#define HG_TEST_DEVICE_H

#include <stdlib.h>
#include <string.h>

static inline const char *test_device(void)
{
    const char *device = getenv("HOURGLASS_TEST_DEVICE");
    return device ? device : "cpu";
}

static inline int on_cpu(void)
{
    return !strcmp(test_device(), "cpu");
}

#endif
