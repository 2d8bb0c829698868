// Capture, replay, update; and what may not happen while a stream captures.
#include "support.cuh"

static const int n = 32;
static cudaStream_t a, b;
static cudaEvent_t fork_event, join_event;

__global__ static void add(float *to, const float *from, float value)
{
    to[threadIdx.x] = from[threadIdx.x] + value;
}

__global__ static void twice(float *to, const float *from)
{
    to[threadIdx.x] = 2 * from[threadIdx.x];
}

static void begin(void)
{
    OK(cudaStreamCreateWithFlags(&a, cudaStreamNonBlocking));
    OK(cudaStreamCreateWithFlags(&b, cudaStreamNonBlocking));
    OK(cudaEventCreateWithFlags(&fork_event, cudaEventDisableTiming));
    OK(cudaEventCreateWithFlags(&join_event, cudaEventDisableTiming));
}

static void end(void)
{
    cudaStreamDestroy(a);
    cudaStreamDestroy(b);
    cudaEventDestroy(fork_event);
    cudaEventDestroy(join_event);
}

static void capture(void)
{
    OK(cudaStreamBeginCapture(a, cudaStreamCaptureModeGlobal));
}

static cudaGraphExec_t instantiated(void)
{
    cudaGraph_t graph;
    cudaGraphExec_t exec;
    OK(cudaStreamEndCapture(a, &graph));
    OK(cudaGraphInstantiate(&exec, graph));
    OK(cudaGraphDestroy(graph));
    return exec;
}

static std::vector<float> all(float value)
{
    return std::vector<float>((size_t)n, value);
}

START_TEST(captured_work_runs_at_each_launch_of_the_graph_only)
{
    Device<float> x(all(1));
    capture();
    LAUNCH(add, 1, n, 0, a, x.data, x.data, 1.0f);
    LAUNCH(twice, 1, n, 0, a, x.data, x.data);
    cudaGraphExec_t exec = instantiated();
    ck_assert(x.read()[0] == 1);
    long launches = cuda_on_cpu_count().launches;
    long graphs = cuda_on_cpu_count().graph_launches;
    for (int i = 0; i < 3; i++)
        OK(cudaGraphLaunch(exec, a));
    OK(cudaStreamSynchronize(a));
    ck_assert(x.read()[0] == 22); // 1, 4, 10, 22
    ck_assert_int_eq(cuda_on_cpu_count().launches, launches + 6);
    ck_assert_int_eq(cuda_on_cpu_count().graph_launches, graphs + 3);
    OK(cudaGraphExecDestroy(exec));
}
END_TEST

START_TEST(copies_and_fills_are_captured)
{
    Device<float> x(all(1)), y(n);
    cudaGraph_t graph;
    cudaGraphExec_t exec;
    capture();
    OK(cudaMemsetAsync(y.data, 0, n * sizeof(float), a));
    OK(cudaMemcpyAsync(y.data, x.data, 4, cudaMemcpyDeviceToDevice, a));
    OK(cudaStreamEndCapture(a, &graph));
    size_t count = 0;
    OK(cudaGraphGetNodes(graph, nullptr, &count));
    ck_assert_uint_eq(count, 2);
    cudaGraphNode_t nodes[2];
    cudaGraphNodeType type;
    OK(cudaGraphGetNodes(graph, nodes, &count));
    OK(cudaGraphNodeGetType(nodes[1], &type));
    ck_assert_int_eq(type, cudaGraphNodeTypeMemcpy);
    OK(cudaGraphInstantiate(&exec, graph));
    OK(cudaGraphLaunch(exec, a));
    OK(cudaStreamSynchronize(a));
    ck_assert(y.read()[0] == 1 && y.read()[1] == 0);
    OK(cudaGraphExecDestroy(exec));
    OK(cudaGraphDestroy(graph));
}
END_TEST

START_TEST(an_event_brings_another_stream_into_the_capture)
{
    Device<float> x(all(1)), y(n), z(n);
    capture();
    LAUNCH(add, 1, n, 0, a, x.data, x.data, 1.0f);
    OK(cudaEventRecord(fork_event, a));
    OK(cudaStreamWaitEvent(b, fork_event));
    LAUNCH(twice, 1, n, 0, b, y.data, x.data);
    OK(cudaEventRecord(join_event, b));
    LAUNCH(twice, 1, n, 0, a, z.data, x.data);
    OK(cudaStreamWaitEvent(a, join_event));
    LAUNCH(add, 1, n, 0, a, z.data, y.data, 1.0f);
    cudaGraphExec_t exec = instantiated();
    OK(cudaGraphLaunch(exec, a));
    OK(cudaStreamSynchronize(a));
    ck_assert(z.read()[0] == 5 && y.read()[0] == 4);
    OK(cudaGraphExecDestroy(exec));
}
END_TEST

// Branches that no edge orders run in the schedule's order.
START_TEST(a_missing_edge_shows_under_another_schedule)
{
    float results[2];
    for (int i = 0; i < 2; i++) {
        Device<float> x(all(1));
        ck_assert(cuda_on_cpu_set_schedule(i ? "reverse" : "forward"));
        capture();
        OK(cudaEventRecord(fork_event, a));
        OK(cudaStreamWaitEvent(b, fork_event));
        LAUNCH(add, 1, n, 0, a, x.data, x.data, 1.0f);
        LAUNCH(twice, 1, n, 0, b, x.data, x.data);
        OK(cudaEventRecord(join_event, b));
        OK(cudaStreamWaitEvent(a, join_event));
        cudaGraphExec_t exec = instantiated();
        OK(cudaGraphLaunch(exec, a));
        OK(cudaStreamSynchronize(a));
        results[i] = x.read()[0];
        OK(cudaGraphExecDestroy(exec));
    }
    ck_assert(results[0] == 4 && results[1] == 3);
}
END_TEST

START_TEST(work_that_does_not_join_is_refused)
{
    Device<float> x(all(1));
    cudaGraph_t graph;
    capture();
    OK(cudaEventRecord(fork_event, a));
    OK(cudaStreamWaitEvent(b, fork_event));
    LAUNCH(twice, 1, n, 0, b, x.data, x.data);
    FAILS(cudaStreamEndCapture(a, &graph), cudaErrorStreamCaptureUnjoined);
    ck_assert_ptr_null(graph);
}
END_TEST

static void invalidates(cudaError_t got, cudaError_t want)
{
    cudaStreamCaptureStatus status;
    cudaGraph_t graph;
    ck_assert_int_eq(got, want);
    OK(cudaStreamIsCapturing(a, &status));
    ck_assert_int_eq(status, cudaStreamCaptureStatusInvalidated);
    ck_assert_int_eq(cudaStreamEndCapture(a, &graph),
                     cudaErrorStreamCaptureInvalidated);
    ck_assert_ptr_null(graph);
    cudaGetLastError();
    OK(cudaStreamIsCapturing(a, &status));
    ck_assert_int_eq(status, cudaStreamCaptureStatusNone);
}

START_TEST(waiting_and_allocating_end_a_capture)
{
    Device<float> x(all(1));
    float host[1];
    void *p;
    capture();
    invalidates(cudaMalloc(&p, 4), cudaErrorStreamCaptureUnsupported);
    capture();
    invalidates(cudaFree(x.data), cudaErrorStreamCaptureUnsupported);
    capture();
    invalidates(cudaStreamSynchronize(a), cudaErrorStreamCaptureUnsupported);
    capture();
    invalidates(cudaDeviceSynchronize(), cudaErrorStreamCaptureUnsupported);
    capture();
    invalidates(cudaMemcpy(host, x.data, 4, cudaMemcpyDeviceToHost),
                cudaErrorStreamCaptureUnsupported);
    OK(cudaEventRecord(fork_event, b));
    capture();
    invalidates(cudaStreamWaitEvent(a, fork_event),
                cudaErrorStreamCaptureIsolation);
}
END_TEST

START_TEST(a_relaxed_capture_lets_others_allocate)
{
    cudaGraph_t graph;
    char *p;
    OK(cudaStreamBeginCapture(a, cudaStreamCaptureModeRelaxed));
    OK(cudaMalloc(&p, 4));
    OK(cudaStreamEndCapture(a, &graph));
    OK(cudaGraphDestroy(graph));
    OK(cudaFree(p));
}
END_TEST

START_TEST(the_legacy_stream_cannot_be_captured)
{
    FAILS(cudaStreamBeginCapture(0, cudaStreamCaptureModeGlobal),
          cudaErrorStreamCaptureUnsupported);
    cudaGraph_t graph;
    FAILS(cudaStreamEndCapture(a, &graph), cudaErrorInvalidValue);
}
END_TEST

static cudaGraph_t captured(float *x, float value, bool once_more)
{
    cudaGraph_t graph;
    capture();
    LAUNCH(add, 1, n, 0, a, x, x, value);
    if (once_more)
        LAUNCH(add, 1, n, 0, a, x, x, value);
    OK(cudaStreamEndCapture(a, &graph));
    return graph;
}

START_TEST(an_update_takes_arguments_but_no_other_topology)
{
    Device<float> x(all(0));
    cudaGraph_t one = captured(x.data, 1, false);
    cudaGraph_t ten = captured(x.data, 10, false);
    cudaGraph_t longer = captured(x.data, 1, true);
    cudaGraphExec_t exec;
    cudaGraphExecUpdateResultInfo info;
    OK(cudaGraphInstantiate(&exec, one));
    OK(cudaGraphLaunch(exec, a));
    OK(cudaGraphExecUpdate(exec, ten, &info));
    ck_assert_int_eq(info.result, cudaGraphExecUpdateSuccess);
    OK(cudaGraphLaunch(exec, a));
    FAILS(cudaGraphExecUpdate(exec, longer, &info),
          cudaErrorGraphExecUpdateFailure);
    ck_assert_int_eq(info.result, cudaGraphExecUpdateErrorTopologyChanged);
    OK(cudaGraphLaunch(exec, a));
    OK(cudaStreamSynchronize(a));
    ck_assert(x.read()[0] == 21);
    OK(cudaGraphExecDestroy(exec));
    for (cudaGraph_t graph : {one, ten, longer})
        OK(cudaGraphDestroy(graph));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("graphs");
    TCase *c = tcase_create("graphs");
    tcase_add_checked_fixture(c, begin, end);
    tcase_add_test(c, captured_work_runs_at_each_launch_of_the_graph_only);
    tcase_add_test(c, copies_and_fills_are_captured);
    tcase_add_test(c, an_event_brings_another_stream_into_the_capture);
    tcase_add_test(c, a_missing_edge_shows_under_another_schedule);
    tcase_add_test(c, work_that_does_not_join_is_refused);
    tcase_add_test(c, waiting_and_allocating_end_a_capture);
    tcase_add_test(c, a_relaxed_capture_lets_others_allocate);
    tcase_add_test(c, the_legacy_stream_cannot_be_captured);
    tcase_add_test(c, an_update_takes_arguments_but_no_other_topology);
    suite_add_tcase(suite, c);
    return run_tests(suite);
}
