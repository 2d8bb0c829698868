// Streams that run late: what does not wait sees old values.
#include "support.cuh"

static const int n = 64;

__global__ static void scale(float *to, const float *from, float factor)
{
    to[threadIdx.x] = from[threadIdx.x] * factor;
}

static std::vector<float> ones(float value)
{
    return std::vector<float>((size_t)n, value);
}

struct Stream {
    cudaStream_t s;
    explicit Stream(unsigned flags = cudaStreamNonBlocking)
    {
        OK(cudaStreamCreateWithFlags(&s, flags));
    }
    ~Stream()
    {
        cudaStreamDestroy(s);
    }
};

struct Event {
    cudaEvent_t e;
    Event()
    {
        OK(cudaEventCreateWithFlags(&e, cudaEventDisableTiming));
    }
    ~Event()
    {
        cudaEventDestroy(e);
    }
};

static void late(void)
{
    cuda_on_cpu_set_async(1);
}

static void at_once(void)
{
    cuda_on_cpu_set_async(0);
}

START_TEST(work_runs_when_something_waits_for_it)
{
    Stream a;
    Device<float> x(ones(1)), y(n);
    float *host;
    OK(cudaMallocHost(&host, n * sizeof *host));
    LAUNCH(scale, 1, n, 0, a.s, y.data, x.data, 3.0f);
    OK(cudaMemcpyAsync(host, y.data, n * sizeof *host, cudaMemcpyDeviceToHost,
                       a.s));
    ck_assert_float_nan(host[5]);
    OK(cudaStreamSynchronize(a.s));
    ck_assert(host[5] == 3);
    OK(cudaFreeHost(host));
}
END_TEST

START_TEST(streams_run_apart_unless_an_event_orders_them)
{
    for (int ordered = 0; ordered < 2; ordered++) {
        Stream a, b;
        Event written;
        Device<float> x(ones(1)), y(ones(0)), z(n);
        LAUNCH(scale, 1, n, 0, a.s, y.data, x.data, 3.0f);
        OK(cudaEventRecord(written.e, a.s));
        if (ordered)
            OK(cudaStreamWaitEvent(b.s, written.e));
        LAUNCH(scale, 1, n, 0, b.s, z.data, y.data, 2.0f);
        OK(cudaDeviceSynchronize()); // b, the younger, runs first
        ck_assert(z.read()[7] == (ordered ? 6 : 0));
    }
}
END_TEST

START_TEST(an_event_waits_for_what_came_before_it_only)
{
    Stream a;
    Event middle;
    Device<float> x(ones(1));
    LAUNCH(scale, 1, n, 0, a.s, x.data, x.data, 2.0f);
    OK(cudaEventRecord(middle.e, a.s));
    LAUNCH(scale, 1, n, 0, a.s, x.data, x.data, 5.0f);
    long before = cuda_on_cpu_count().launches;
    OK(cudaEventSynchronize(middle.e));
    ck_assert_int_eq(cuda_on_cpu_count().launches, before + 1);
    OK(cudaStreamSynchronize(a.s));
    ck_assert_int_eq(cuda_on_cpu_count().launches, before + 2);
}
END_TEST

START_TEST(polling_says_not_ready_once)
{
    Stream a;
    Event done;
    Device<float> x(ones(1));
    LAUNCH(scale, 1, n, 0, a.s, x.data, x.data, 2.0f);
    OK(cudaEventRecord(done.e, a.s));
    ck_assert_int_eq(cudaEventQuery(done.e), cudaErrorNotReady);
    OK(cudaEventQuery(done.e));
    LAUNCH(scale, 1, n, 0, a.s, x.data, x.data, 2.0f);
    ck_assert_int_eq(cudaStreamQuery(a.s), cudaErrorNotReady);
    OK(cudaStreamQuery(a.s));
}
END_TEST

START_TEST(the_legacy_stream_waits_for_blocking_streams_only)
{
    for (int blocking = 0; blocking < 2; blocking++) {
        Stream a(blocking ? cudaStreamDefault : cudaStreamNonBlocking);
        Device<float> x(ones(1)), y(ones(0)), z(n);
        LAUNCH(scale, 1, n, 0, a.s, y.data, x.data, 3.0f);
        LAUNCH(scale, 1, n, 0, 0, z.data, y.data, 1.0f);
        OK(cudaStreamSynchronize(0));
        ck_assert(z.read()[0] == (blocking ? 3 : 0));
        OK(cudaStreamSynchronize(a.s));
    }
}
END_TEST

START_TEST(pageable_memory_may_be_reused_after_the_copy_call)
{
    Stream a;
    Device<float> x(n);
    std::vector<float> host = ones(4);
    OK(cudaMemcpyAsync(x.data, host.data(), n * sizeof(float),
                       cudaMemcpyHostToDevice, a.s));
    host.assign((size_t)n, 9);
    OK(cudaStreamSynchronize(a.s));
    ck_assert(x.read()[3] == 4);
}
END_TEST

START_TEST(pinned_memory_is_read_when_the_stream_gets_there)
{
    Stream a;
    Device<float> x(n);
    float *host;
    OK(cudaMallocHost(&host, n * sizeof *host));
    for (int i = 0; i < n; i++)
        host[i] = 4;
    OK(cudaMemcpyAsync(x.data, host, n * sizeof(float), cudaMemcpyHostToDevice,
                       a.s));
    host[3] = 9;
    OK(cudaStreamSynchronize(a.s));
    ck_assert(x.read()[3] == 9);
    OK(cudaFreeHost(host));
}
END_TEST

START_TEST(times_between_events_are_known_once_they_have_passed)
{
    Stream a;
    cudaEvent_t start, end;
    OK(cudaEventCreate(&start));
    OK(cudaEventCreate(&end));
    Device<float> x(ones(1));
    float ms = -1;
    OK(cudaEventRecord(start, a.s));
    LAUNCH(scale, 1, n, 0, a.s, x.data, x.data, 2.0f);
    OK(cudaEventRecord(end, a.s));
    FAILS(cudaEventElapsedTime(&ms, start, end), cudaErrorNotReady);
    OK(cudaEventSynchronize(end));
    OK(cudaEventElapsedTime(&ms, start, end));
    ck_assert(ms >= 0);
    OK(cudaEventDestroy(start));
    OK(cudaEventDestroy(end));
}
END_TEST

static void note(void *value)
{
    *(int *)value += 1;
}

START_TEST(host_functions_run_in_order)
{
    Stream a;
    int calls = 0;
    OK(cudaLaunchHostFunc(a.s, note, &calls));
    ck_assert_int_eq(calls, 0);
    OK(cudaStreamSynchronize(a.s));
    ck_assert_int_eq(calls, 1);
}
END_TEST

START_TEST(a_destroyed_stream_is_refused)
{
    cudaStream_t s;
    OK(cudaStreamCreate(&s));
    OK(cudaStreamDestroy(s));
    FAILS(cudaStreamSynchronize(s), cudaErrorInvalidResourceHandle);
    FAILS(cudaStreamDestroy(s), cudaErrorInvalidResourceHandle);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("streams");
    TCase *c = tcase_create("streams");
    tcase_add_checked_fixture(c, late, at_once);
    tcase_add_test(c, work_runs_when_something_waits_for_it);
    tcase_add_test(c, streams_run_apart_unless_an_event_orders_them);
    tcase_add_test(c, an_event_waits_for_what_came_before_it_only);
    tcase_add_test(c, polling_says_not_ready_once);
    tcase_add_test(c, the_legacy_stream_waits_for_blocking_streams_only);
    tcase_add_test(c, pageable_memory_may_be_reused_after_the_copy_call);
    tcase_add_test(c, pinned_memory_is_read_when_the_stream_gets_there);
    tcase_add_test(c, times_between_events_are_known_once_they_have_passed);
    tcase_add_test(c, host_functions_run_in_order);
    tcase_add_test(c, a_destroyed_stream_is_refused);
    suite_add_tcase(suite, c);
    return run_tests(suite);
}
