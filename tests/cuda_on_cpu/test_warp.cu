// Shuffles and votes of a warp, against the guide's definitions.
#include "support.cuh"

// ---- Shuffles: every delta and width, against the guide's definition

__global__ static void shuffle_index(int *to, int source, int width)
{
    to[threadIdx.x] = __shfl_sync(ALL, 100 + (int)threadIdx.x, source, width);
}

__global__ static void shuffle_up(int *to, int delta, int width)
{
    to[threadIdx.x] =
        __shfl_up_sync(ALL, 100 + (int)threadIdx.x, (unsigned)delta, width);
}

__global__ static void shuffle_down(int *to, int delta, int width)
{
    to[threadIdx.x] =
        __shfl_down_sync(ALL, 100 + (int)threadIdx.x, (unsigned)delta, width);
}

__global__ static void shuffle_xor(int *to, int lanes, int width)
{
    to[threadIdx.x] =
        __shfl_xor_sync(ALL, 100 + (int)threadIdx.x, lanes, width);
}

static int from_index(int lane, int source, int width)
{
    return lane / width * width + source % width;
}

static int from_up(int lane, int delta, int width)
{
    return lane % width < delta ? lane : lane - delta;
}

static int from_down(int lane, int delta, int width)
{
    return lane % width + delta >= width ? lane : lane + delta;
}

// A later segment is not read; an earlier one is.
static int from_xor(int lane, int lanes, int width)
{
    int source = lane ^ lanes;
    return source / width > lane / width ? lane : source;
}

typedef void shuffle_kernel(int *, int, int);

static void follows(shuffle_kernel *kernel, int (*definition)(int, int, int))
{
    Device<int> to(32);
    for (int width = 1; width <= 32; width *= 2)
        for (int parameter = 0; parameter < 32; parameter++) {
            LAUNCH(kernel, 1, 32, 0, 0, to.data, parameter, width);
            std::vector<int> got = to.read();
            for (int lane = 0; lane < 32; lane++)
                ck_assert_int_eq(got[(size_t)lane],
                                 100 + definition(lane, parameter, width));
        }
}

START_TEST(shuffle_by_index_wraps_within_its_segment)
{
    follows(shuffle_index, from_index);
}
END_TEST

START_TEST(shuffle_up_keeps_the_own_value_at_the_segments_start)
{
    follows(shuffle_up, from_up);
}
END_TEST

START_TEST(shuffle_down_keeps_the_own_value_at_the_segments_end)
{
    follows(shuffle_down, from_down);
}
END_TEST

START_TEST(shuffle_xor_reads_earlier_segments_but_no_later_ones)
{
    follows(shuffle_xor, from_xor);
}
END_TEST

template <class T> __global__ static void rotate(T *to, const T *from)
{
    int lane = (int)threadIdx.x % 32;
    to[threadIdx.x] = __shfl_sync(ALL, from[threadIdx.x], lane + 1);
}

template <class T> static void rotates(T first)
{
    std::vector<T> from(64);
    for (size_t i = 0; i < 64; i++)
        from[i] = first + (T)i;
    Device<T> x(from), y(64);
    LAUNCH(rotate<T>, 1, 64, 0, 0, y.data, x.data);
    std::vector<T> got = y.read();
    for (size_t i = 0; i < 64; i++)
        ck_assert(got[i] == from[i / 32 * 32 + (i + 1) % 32]);
}

START_TEST(shuffles_carry_4_and_8_byte_values_of_every_warp)
{
    rotates<int>(-7);
    rotates<unsigned>(7u);
    rotates<float>(0.5f);
    rotates<double>(1e300);
    rotates<long long>(1ll << 60);
}
END_TEST

__global__ static void shuffle_half(int *to)
{
    int lane = (int)threadIdx.x;
    if (lane < 16)
        to[lane] = __shfl_down_sync(0xffffu, lane, 4, 16);
    else
        to[lane] = __shfl_up_sync(0xffff0000u, lane, 4, 16);
}

START_TEST(halves_of_a_warp_shuffle_apart)
{
    Device<int> to(32);
    LAUNCH(shuffle_half, 1, 32, 0, 0, to.data);
    std::vector<int> got = to.read();
    for (int lane = 0; lane < 32; lane++)
        ck_assert_int_eq(got[(size_t)lane],
                         lane < 16 ? (lane < 12 ? lane + 4 : lane)
                                   : (lane < 20 ? lane : lane - 4));
}
END_TEST

// ---- Votes

__global__ static void votes(unsigned *to, unsigned which)
{
    int mine = which >> (threadIdx.x & 31) & 1;
    to[threadIdx.x * 3] = __ballot_sync(ALL, mine * 5);
    to[threadIdx.x * 3 + 1] = (unsigned)__any_sync(ALL, mine);
    to[threadIdx.x * 3 + 2] = (unsigned)__all_sync(ALL, mine);
}

START_TEST(votes_are_those_of_the_warp)
{
    Device<unsigned> to(64 * 3);
    for (unsigned which : {0u, 1u, 0x80000000u, 0x0f0f0f0fu, ALL}) {
        LAUNCH(votes, 1, 64, 0, 0, to.data, which);
        std::vector<unsigned> got = to.read();
        for (size_t i = 0; i < 64; i++) {
            ck_assert_uint_eq(got[3 * i], which);
            ck_assert_uint_eq(got[3 * i + 1], which != 0);
            ck_assert_uint_eq(got[3 * i + 2], which == ALL);
        }
    }
}
END_TEST

// Lanes beyond the block do not exist; those that returned are not waited for.
__global__ static void partial_ballot(unsigned *to)
{
    if (threadIdx.x >= 40)
        return;
    unsigned mask = threadIdx.x < 32 ? ALL : 0xffu;
    to[threadIdx.x] = __ballot_sync(mask, 1);
}

START_TEST(lanes_that_are_not_there_cast_no_vote)
{
    Device<unsigned> to(48);
    LAUNCH(partial_ballot, 1, 48, 0, 0, to.data);
    std::vector<unsigned> got = to.read();
    ck_assert_uint_eq(got[0], ALL);
    ck_assert_uint_eq(got[39], 0xffu);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("warp");
    TCase *c = tcase_create("warp");
    tcase_add_test(c, shuffle_by_index_wraps_within_its_segment);
    tcase_add_test(c, shuffle_up_keeps_the_own_value_at_the_segments_start);
    tcase_add_test(c, shuffle_down_keeps_the_own_value_at_the_segments_end);
    tcase_add_test(c, shuffle_xor_reads_earlier_segments_but_no_later_ones);
    tcase_add_test(c, shuffles_carry_4_and_8_byte_values_of_every_warp);
    tcase_add_test(c, halves_of_a_warp_shuffle_apart);
    tcase_add_test(c, votes_are_those_of_the_warp);
    tcase_add_test(c, lanes_that_are_not_there_cast_no_vote);
    suite_add_tcase(suite, c);
    return run_tests(suite);
}
