// cuRAND's own device header, run by the emulation: the oracle of the
// project's random numbers (tensor/random.h says that the layout is the same).
#include <tuple> // before the names below are hidden

#include <cuda_runtime.h>

// The header declares its own, constant ones.
#define blockDim  curand_block
#define threadIdx curand_thread
#include <curand_kernel.h>
#undef blockDim
#undef threadIdx

#include "support.cuh"
extern "C" {
#include "tensor/random.h"
}

enum { THREADS = 64 };

struct Place {
    unsigned long long seed, sequence, element;
};

__global__ static void draw(uint4 *words, float4 *normals, float4 *uniforms,
                            Place p)
{
    curandStatePhilox4_32_10_t state;
    unsigned long long e = p.element + 4 * threadIdx.x;
    curand_init(p.seed, p.sequence, e, &state);
    words[threadIdx.x] = curand4(&state);
    curand_init(p.seed, p.sequence, e, &state);
    normals[threadIdx.x] = curand_normal4(&state);
    curand_init(p.seed, p.sequence, e, &state);
    uniforms[threadIdx.x] = curand_uniform4(&state);
}

struct Drawn {
    std::vector<uint4> words;
    std::vector<float4> normals, uniforms;
};

static Drawn drawn(Place p)
{
    Device<uint4> words(THREADS);
    Device<float4> normals(THREADS), uniforms(THREADS);
    LAUNCH(draw, 1, THREADS, 0, 0, words.data, normals.data, uniforms.data, p);
    OK(cudaGetLastError());
    return {words.read(), normals.read(), uniforms.read()};
}

START_TEST(curand_gives_the_published_answer)
{
    Drawn d = drawn({0, 0, 0});
    ck_assert_uint_eq(d.words[0].x, 0x6627e8d5u);
    ck_assert_uint_eq(d.words[0].y, 0xe169c58du);
    ck_assert_uint_eq(d.words[0].z, 0xbc57ac4cu);
    ck_assert_uint_eq(d.words[0].w, 0x9b00dbd8u);
}
END_TEST

// Seeds, sequences and elements beyond 32 bits, and every domain.
static const Place places[] = {
    {42, 0, 0},
    {0xdeadbeefcafef00dull, 7, 400},
    {1, 0x123456789abcdefull, 4ull << 33},
};

static hg_philox philox_at(const Place &p, int domain, unsigned long long *key)
{
    hg_philox generator = hg_philox_make(p.seed, (uint64_t)domain, p.sequence);
    *key = (unsigned long long)generator.key[1] << 32 | generator.key[0];
    return generator;
}

START_TEST(the_projects_words_are_curands)
{
    for (const Place &p : places)
        for (int domain = 0; domain < 4; domain++) {
            unsigned long long key;
            hg_philox generator = philox_at(p, domain, &key);
            Drawn d = drawn({key, p.sequence, p.element});
            for (unsigned i = 0; i < THREADS; i++) {
                uint32_t w[4];
                hg_philox_block(&generator, p.element / 4 + i, w);
                ck_assert_uint_eq(w[0], d.words[i].x);
                ck_assert_uint_eq(w[1], d.words[i].y);
                ck_assert_uint_eq(w[2], d.words[i].z);
                ck_assert_uint_eq(w[3], d.words[i].w);
            }
        }
}
END_TEST

START_TEST(the_projects_normals_are_curands_to_rounding)
{
    for (const Place &p : places) {
        unsigned long long key;
        hg_philox generator = philox_at(p, 0, &key);
        Drawn d = drawn({key, p.sequence, p.element});
        for (unsigned i = 0; i < THREADS; i++) {
            uint32_t w[4];
            float n[4];
            hg_philox_block(&generator, p.element / 4 + i, w);
            hg_words_normal(w[0], w[1], n);
            hg_words_normal(w[2], w[3], n + 2);
            ck_assert_float_eq_tol(n[0], d.normals[i].x, 2e-6f);
            ck_assert_float_eq_tol(n[1], d.normals[i].y, 2e-6f);
            ck_assert_float_eq_tol(n[2], d.normals[i].z, 2e-6f);
            ck_assert_float_eq_tol(n[3], d.normals[i].w, 2e-6f);
        }
    }
}
END_TEST

// Ours lie in [0, 1) in steps of 2^-24, cuRAND's in (0, 1] in steps of 2^-32.
START_TEST(the_projects_uniforms_are_curands_rounded_down)
{
    Drawn d = drawn(places[0]);
    for (unsigned i = 0; i < THREADS; i++)
        ck_assert_float_eq_tol(hg_word_uniform(d.words[i].x), d.uniforms[i].x,
                               0x1p-24f + 0x1p-30f);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("curand");
    TCase *c = tcase_create("curand");
    tcase_add_test(c, curand_gives_the_published_answer);
    tcase_add_test(c, the_projects_words_are_curands);
    tcase_add_test(c, the_projects_normals_are_curands_to_rounding);
    tcase_add_test(c, the_projects_uniforms_are_curands_rounded_down);
    suite_add_tcase(suite, c);
    return run_tests(suite);
}
