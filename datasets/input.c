/* input.c - reads plain and gzip files. The memory is the context's, zlib's
 * own included; a truncated, damaged or padded file is an error. */
#include "datasets/input.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER_BYTES ((size_t)1 << 17)
#define ONE_READ     ((size_t)1 << 30)

#ifdef HG_HAVE_NETTLE
static void hash_begin(hg_input *in)
{
    sha256_init(&in->hash);
}

static void hash_more(hg_input *in, const uint8_t *bytes, size_t size)
{
    sha256_update(&in->hash, size, bytes);
}

void hg_input_sha256(hg_input *in, char text[65])
{
    uint8_t digest[SHA256_DIGEST_SIZE];
    sha256_digest(&in->hash, sizeof digest, digest);
    for (int i = 0; i < SHA256_DIGEST_SIZE; i++)
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
}
#else
static void hash_begin(hg_input *in)
{
    (void)in;
}

static void hash_more(hg_input *in, const uint8_t *bytes, size_t size)
{
    (void)in;
    (void)bytes;
    (void)size;
}

void hg_input_sha256(hg_input *in, char text[65])
{
    (void)in;
    text[0] = 0;
}
#endif

static void *zlib_take(void *region, unsigned items, unsigned size)
{
    return hg_region_take_zeroed(region, (size_t)items * size);
}

/* The region is freed as a whole, a moment later. */
static void zlib_give(void *region, void *pointer)
{
    (void)region;
    (void)pointer;
}

static bool io_error(const hg_input *in)
{
    return hg_fail(HG_ERROR_IO, "%s: %s", in->path, strerror(errno));
}

static int64_t read_file(hg_input *in, void *out, size_t size)
{
    ssize_t got;
    do
        got = read(in->file, out, size < ONE_READ ? size : ONE_READ);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        io_error(in);
    return got;
}

static bool begin_gzip(hg_input *in)
{
    in->buffer = hg_region_take(&in->region, BUFFER_BYTES);
    if (!in->buffer)
        return false;
    in->z.zalloc = zlib_take;
    in->z.zfree = zlib_give;
    in->z.opaque = &in->region;
    if (inflateInit2(&in->z, 16 + MAX_WBITS) != Z_OK)
        return hg_fail(HG_ERROR_MEMORY, "%s: zlib cannot start", in->path);
    in->gzip = true;
    return true;
}

static bool begin(hg_input *in)
{
    struct stat st;
    uint8_t magic[2] = {0};
    if (fstat(in->file, &st))
        return io_error(in);
    if (!S_ISREG(st.st_mode))
        return hg_fail(HG_ERROR_IO, "%s: this is not a file", in->path);
    in->file_size = st.st_size;
    int64_t got = read_file(in, magic, 2);
    if (got < 0)
        return false;
    if (lseek(in->file, 0, SEEK_SET))
        return io_error(in);
    hash_begin(in);
    return got < 2 || magic[0] != 0x1f || magic[1] != 0x8b || begin_gzip(in);
}

bool hg_input_open(hg_input *in, hg_context *context, const char *path)
{
    *in = (hg_input){.path = path, .region = {.context = context}};
    /* Not to wait at a pipe. */
    in->file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (in->file < 0)
        return io_error(in);
    if (begin(in))
        return true;
    hg_input_close(in);
    return false;
}

void hg_input_close(hg_input *in)
{
    if (in->file >= 0)
        close(in->file);
    in->file = -1;
    if (in->gzip)
        inflateEnd(&in->z);
    hg_region_free(&in->region);
}

/* Makes at least one byte; 0 at the end of the stream or of the file. */
static int64_t inflate_some(hg_input *in, void *out, size_t size)
{
    z_stream *z = &in->z;
    unsigned room = (unsigned)(size < ONE_READ ? size : ONE_READ);
    z->next_out = out;
    z->avail_out = room;
    while (z->avail_out == room && !in->ended) {
        if (!z->avail_in) {
            int64_t got = read_file(in, in->buffer, BUFFER_BYTES);
            if (got <= 0)
                return got;
            z->next_in = in->buffer;
            z->avail_in = (unsigned)got;
        }
        int code = inflate(z, Z_NO_FLUSH);
        if (code == Z_STREAM_END) {
            in->ended = true;
        } else if (code != Z_OK) {
            hg_fail(HG_ERROR_FORMAT,
                    "%s: the gzip data are damaged (%s); fetch the file again",
                    in->path, z->msg ? z->msg : zError(code));
            return -1;
        }
    }
    return room - z->avail_out;
}

int64_t hg_input_read(hg_input *in, void *out, size_t size)
{
    size_t done = 0;
    while (done < size) {
        uint8_t *at = (uint8_t *)out + done;
        int64_t got = in->gzip ? inflate_some(in, at, size - done)
                               : read_file(in, at, size - done);
        if (got < 0)
            return -1;
        if (!got)
            break;
        hash_more(in, at, (size_t)got);
        done += (size_t)got;
    }
    return (int64_t)done;
}

bool hg_input_at_end(hg_input *in)
{
    uint8_t more;
    int64_t got = hg_input_read(in, &more, 1);
    if (got < 0)
        return false;
    if (in->gzip && in->ended && !got)
        got = in->z.avail_in ? 1 : read_file(in, &more, 1);
    if (got < 0)
        return false;
    if (got)
        return hg_fail(HG_ERROR_FORMAT,
                       "%s: the file goes on after its last item; it is "
                       "damaged or not an IDX file",
                       in->path);
    if (in->gzip && !in->ended)
        return hg_fail(HG_ERROR_FORMAT,
                       "%s: the gzip data stop before their checksum; fetch "
                       "the file again",
                       in->path);
    return true;
}

/* Deflate makes at most 1032 bytes of one (Adler's figure for zlib). */
int64_t hg_input_most(const hg_input *in)
{
    return in->gzip ? in->file_size * 1032 : in->file_size;
}
