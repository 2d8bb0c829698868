/* input.h - a file of bytes, plain or gzip, read from front to back. */
#ifndef HG_INPUT_H
#define HG_INPUT_H

#include "tensor/internal.h"

#include <zlib.h>
#ifdef HG_HAVE_NETTLE
#include <nettle/sha2.h>
#endif

typedef struct {
    const char *path;
    int file;
    int64_t file_size; /* as stored */
    bool gzip, ended;  /* ended: the gzip stream is complete */
    z_stream z;
    hg_region region; /* zlib's memory and the buffer */
    uint8_t *buffer;
#ifdef HG_HAVE_NETTLE
    struct sha256_ctx hash; /* of the uncompressed bytes */
#endif
} hg_input;

bool hg_input_open(hg_input *, hg_context *, const char *path);
/* How many bytes came, fewer than `size` at the end only; -1 on failure. */
int64_t hg_input_read(hg_input *, void *out, size_t size);
/* False if there is more, or if a gzip file stops before its checksum. */
bool hg_input_at_end(hg_input *);
/* The most bytes that the file can hold when uncompressed. */
int64_t hg_input_most(const hg_input *);
/* After hg_input_at_end: 64 hexadecimal digits, or "" in a build without
 * nettle. */
void hg_input_sha256(hg_input *, char text[65]);
void hg_input_close(hg_input *);

#endif
