/* cifar.c - sets that come in files of their own kind: CIFAR-10's archive of
 * records, and the rows of zeros and ones of the binarised MNIST. */
#include "datasets/named.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#ifdef HG_HAVE_NETTLE
#include <nettle/sha2.h>
#endif

/* ---- SHA-256 ------------------------------------------------------------ */

#ifdef HG_HAVE_NETTLE
static void hash_text(struct sha256_ctx *hash, char text[65])
{
    uint8_t digest[SHA256_DIGEST_SIZE];
    sha256_digest(hash, sizeof digest, digest);
    for (int i = 0; i < SHA256_DIGEST_SIZE; i++)
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
}

bool hg_file_sha256(const char *path, char text[65])
{
    static const size_t most = 1 << 14;
    uint8_t bytes[1 << 14];
    struct sha256_ctx hash;
    size_t n;
    FILE *f = fopen(path, "rb");
    if (!f)
        return hg_fail(HG_ERROR_IO, "%s: %s", path, strerror(errno));
    sha256_init(&hash);
    while ((n = fread(bytes, 1, most, f)) > 0)
        sha256_update(&hash, n, bytes);
    hash_text(&hash, text);
    fclose(f);
    return true;
}

static bool has_hash(const uint8_t *bytes, size_t size, const char *sha256)
{
    char text[65];
    struct sha256_ctx hash;
    sha256_init(&hash);
    sha256_update(&hash, size, bytes);
    hash_text(&hash, text);
    return !strcmp(text, sha256);
}
#else
bool hg_file_sha256(const char *path, char text[65])
{
    (void)path;
    text[0] = 0;
    return true;
}

static bool has_hash(const uint8_t *bytes, size_t size, const char *sha256)
{
    (void)bytes, (void)size, (void)sha256;
    return true;
}
#endif

/* ---- CIFAR-10 ----------------------------------------------------------- */

/* A record is the class, then 32 x 32 pixels of red, of green, of blue; the
 * archive (tar, in blocks of 512 bytes) has six files of 10,000. */
enum { PIXELS = 3072, RECORDS = 10000, MEMBERS = 6, BLOCK = 512 };

static const struct {
    const char *name, *sha256;
} member[MEMBERS] = {
    {"data_batch_1.bin",
     "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5"},
    {"data_batch_2.bin",
     "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed"},
    {"data_batch_3.bin",
     "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67"},
    {"data_batch_4.bin",
     "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48"},
    {"data_batch_5.bin",
     "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add"},
    {"test_batch.bin",
     "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b"},
};

static bool damaged(const hg_input *in, const char *what)
{
    return hg_fail(HG_ERROR_FORMAT,
                   "%s: %s; remove the file and fetch it again", in->path,
                   what);
}

/* Records become pixels and labels from `row` on. */
static bool take_records(const hg_input *in, const uint8_t *bytes,
                         hg_data *data, int64_t row)
{
    uint8_t *pixels = data->own_values;
    int32_t *labels = data->own_labels;
    for (int64_t i = 0; i < RECORDS; i++) {
        const uint8_t *record = bytes + i * (PIXELS + 1);
        if (record[0] > 9)
            return damaged(in, "a class is above 9");
        labels[row + i] = record[0];
        memcpy(pixels + (row + i) * PIXELS, record + 1, PIXELS);
    }
    return true;
}

static int member_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    for (int i = 0; i < MEMBERS; i++)
        if (!strcmp(slash ? slash + 1 : path, member[i].name))
            return i;
    return -1;
}

/* Reads one file of the archive, and keeps it where it is one of ours. */
static bool take_member(hg_input *in, uint8_t *room, const char head[BLOCK],
                        hg_data *part[2], int *seen)
{
    char name[101] = "", size_text[13] = "";
    memcpy(name, head, 100);
    memcpy(size_text, head + 124, 12);
    int64_t size = strtoll(size_text, NULL, 8), whole = (PIXELS + 1) * RECORDS;
    int i = member_of(name);
    int64_t padded = (size + BLOCK - 1) / BLOCK * BLOCK;
    if (size < 0 || padded > whole + BLOCK || (i >= 0 && size != whole))
        return damaged(in, "a file in the archive has another size");
    int64_t got = hg_input_read(in, room, (size_t)padded);
    if (got != padded)
        return got >= 0 && damaged(in, "the archive is cut off");
    if (i < 0)
        return true;
    if (!has_hash(room, (size_t)whole, member[i].sha256))
        return damaged(in, "a file in the archive has another SHA-256");
    *seen |= 1 << i;
    return i < 5 ? take_records(in, room, part[0], (int64_t)i * RECORDS)
                 : take_records(in, room, part[1], 0);
}

static bool read_archive(hg_input *in, hg_data *part[2])
{
    int64_t got;
    char head[BLOCK];
    int seen = 0;
    size_t room_size = (size_t)(PIXELS + 1) * RECORDS + 2 * BLOCK;
    uint8_t *room = hg_region_take(&in->region, room_size);
    if (!room)
        return false;
    while ((got = hg_input_read(in, head, BLOCK)) == BLOCK && head[0])
        if (!take_member(in, room, head, part, &seen))
            return false;
    if (got < 0)
        return false;
    return seen == (1 << MEMBERS) - 1 ||
           damaged(in, "a file is missing in the archive");
}

static bool make_room(hg_data *data, int64_t rows)
{
    hg_shape item = {3, {3, 32, 32}};
    return hg_data_room(data, item, rows, HG_BYTES) && hg_data_label_room(data);
}

static hg_data *give_up(hg_data *part[2])
{
    for (int i = 0; i < 2; i++)
        if (part[i])
            hg_data_clear(part[i]);
    return NULL;
}

hg_data *hg_cifar_read(hg_context *context, const char *name, hg_location *at,
                       const hg_remote_file *file)
{
    hg_input in;
    hg_data *part[2] = {hg_data_new(context, name), hg_data_new(context, name)};
    (void)file; /* each member has a hash of its own */
    bool good = part[0] && part[1] && make_room(part[0], 5 * RECORDS) &&
                make_room(part[1], RECORDS) &&
                hg_input_open(&in, context, at[0]);
    if (good) {
        good = read_archive(&in, part);
        hg_input_close(&in);
    }
    if (!good)
        return give_up(part);
    part[0]->test = part[1];
    return part[0];
}

/* ---- Rows of zeros and ones --------------------------------------------- */

/* "0 1 0 ... 1\n", 784 of them a line: black or white. */
enum { SIDE = 28, LINE = 2 * SIDE * SIDE };

static bool read_line(hg_input *in, uint8_t *pixels)
{
    char line[LINE];
    int64_t got = hg_input_read(in, line, LINE);
    if (got != LINE)
        return got >= 0 && damaged(in, "the file is cut off");
    for (int i = 0; i < SIDE * SIDE; i++) {
        if ((line[2 * i] != '0' && line[2 * i] != '1') ||
            (line[2 * i + 1] != ' ' && line[2 * i + 1] != '\n'))
            return damaged(in, "a line is not 784 zeros and ones");
        pixels[i] = line[2 * i] == '1' ? 255 : 0;
    }
    return true;
}

static bool read_lines(hg_data *data, const char *path, const char *sha256,
                       int64_t from, int64_t count)
{
    hg_input in;
    char found[65];
    uint8_t *pixels = data->own_values;
    bool good = hg_input_open(&in, data->context, path);
    if (!good)
        return false;
    for (int64_t i = 0; good && i < count; i++)
        good = read_line(&in, pixels + (from + i) * SIDE * SIDE);
    good = good && hg_input_at_end(&in);
    if (good)
        hg_input_sha256(&in, found);
    if (good && found[0] && strcmp(found, sha256))
        good = damaged(&in, "the SHA-256 is another one");
    hg_input_close(&in);
    return good;
}

/* The 10,000 that Larochelle kept for validation follow the 50,000. */
hg_data *hg_amat_read(hg_context *context, const char *name, hg_location *at,
                      const hg_remote_file *file)
{
    hg_shape item = {3, {1, SIDE, SIDE}};
    hg_data *part[2] = {hg_data_new(context, name), hg_data_new(context, name)};
    if (!part[0] || !part[1] || !hg_data_room(part[0], item, 60000, HG_BYTES) ||
        !hg_data_room(part[1], item, 10000, HG_BYTES) ||
        !read_lines(part[0], at[0], file[0].sha256, 0, 50000) ||
        !read_lines(part[0], at[1], file[1].sha256, 50000, 10000) ||
        !read_lines(part[1], at[2], file[2].sha256, 0, 10000))
        return give_up(part);
    part[0]->test = part[1];
    return part[0];
}
