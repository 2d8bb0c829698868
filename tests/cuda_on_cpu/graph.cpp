// Capture and graphs. A captured stream's work becomes nodes; a graph's launch
// runs them in an order that its edges allow, which the schedule chooses: an
// edge that is missing shows.
#include "stream.h"

#include <algorithm>

namespace cuda_on_cpu
{
void capture_work(cudaStream_t stream, Work work)
{
    std::vector<CUgraphNode_st> &nodes = stream->capture->graph.nodes;
    nodes.push_back({std::move(work), stream->tail});
    stream->tail.assign(1, (int)nodes.size() - 1);
}

bool capture_forbids()
{
    bool forbidden = false;
    for (cudaStream_t s : all_streams()) {
        if (!s->capture || s->capture->mode == cudaStreamCaptureModeRelaxed)
            continue;
        if (s->capture->mode == cudaStreamCaptureModeThreadLocal &&
            s->capture->thread != std::this_thread::get_id())
            continue;
        s->capture->invalid = true;
        forbidden = true;
    }
    return forbidden;
}

bool is_capturing(cudaStream_t stream)
{
    stream = real_stream(stream);
    return stream && stream->capture;
}

// Does every node lie before the end of the stream that began the capture?
static bool is_joined(const Capture &capture)
{
    const std::vector<CUgraphNode_st> &nodes = capture.graph.nodes;
    std::vector<bool> reached(nodes.size());
    for (int i : capture.origin->tail)
        reached[(size_t)i] = true;
    for (size_t i = nodes.size(); i-- > 0;)
        for (int before : nodes[i].after)
            reached[(size_t)before] = reached[(size_t)before] || reached[i];
    return std::all_of(reached.begin(), reached.end(),
                       [](bool is) { return is; });
}

static cudaError_t end_capture(Capture &capture)
{
    if (capture.mode != cudaStreamCaptureModeRelaxed &&
        capture.thread != std::this_thread::get_id())
        return cudaErrorStreamCaptureWrongThread;
    if (capture.invalid)
        return cudaErrorStreamCaptureInvalidated;
    return is_joined(capture) ? cudaSuccess : cudaErrorStreamCaptureUnjoined;
}

// The next node among those that wait for none, as the schedule wants it.
static size_t choose(const std::vector<size_t> &able)
{
    switch (settings().order) {
    case Order::forward:
        return 0;
    case Order::reverse:
        return able.size() - 1;
    case Order::random:
        return random_below((uint32_t)able.size());
    }
    return 0;
}

static void run_graph(const std::vector<CUgraphNode_st> &nodes)
{
    std::vector<bool> done(nodes.size());
    for (size_t left = nodes.size(); left > 0; left--) {
        std::vector<size_t> able;
        for (size_t i = 0; i < nodes.size(); i++)
            if (!done[i] &&
                std::all_of(nodes[i].after.begin(), nodes[i].after.end(),
                            [&](int before) { return done[(size_t)before]; }))
                able.push_back(i);
        size_t next = able[choose(able)];
        perform(nodes[next].work);
        done[next] = true;
    }
}

// What keeps a graph from taking the place of another.
static cudaGraphExecUpdateResult difference(
    const std::vector<CUgraphNode_st> &a, const std::vector<CUgraphNode_st> &b)
{
    if (a.size() != b.size())
        return cudaGraphExecUpdateErrorTopologyChanged;
    for (size_t i = 0; i < a.size(); i++) {
        if (a[i].after != b[i].after)
            return cudaGraphExecUpdateErrorTopologyChanged;
        if (a[i].work.kind != b[i].work.kind)
            return cudaGraphExecUpdateErrorNodeTypeChanged;
        if (a[i].work.function != b[i].work.function)
            return cudaGraphExecUpdateErrorFunctionChanged;
    }
    return cudaGraphExecUpdateSuccess;
}
} // namespace cuda_on_cpu

using namespace cuda_on_cpu;

extern "C" {
cudaError_t cudaStreamBeginCapture(cudaStream_t stream,
                                   enum cudaStreamCaptureMode mode)
{
    Lock lock;
    bool legacy = real_stream(stream) == real_stream(0);
    stream = real_stream(stream);
    if (legacy || !stream || stream->capture)
        return fail(cudaErrorStreamCaptureUnsupported);
    stream->capture = std::make_shared<Capture>();
    stream->capture->origin = stream;
    stream->capture->mode = mode;
    stream->capture->thread = std::this_thread::get_id();
    stream->tail.clear();
    return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t *graph)
{
    Lock lock;
    *graph = nullptr;
    stream = real_stream(stream);
    if (!stream || !stream->capture)
        return fail(cudaErrorInvalidValue);
    std::shared_ptr<Capture> capture = stream->capture;
    if (capture->origin != stream)
        return fail(cudaErrorStreamCaptureUnmatched);
    cudaError_t error = end_capture(*capture);
    if (error == cudaErrorStreamCaptureWrongThread)
        return fail(error);
    capture->ended = true;
    for (cudaStream_t s : all_streams())
        if (s->capture == capture) {
            s->capture.reset();
            s->tail.clear();
        }
    if (error == cudaSuccess)
        *graph = new CUgraph_st(capture->graph);
    return fail(error);
}

cudaError_t cudaStreamIsCapturing(cudaStream_t stream,
                                  enum cudaStreamCaptureStatus *status)
{
    Lock lock;
    stream = real_stream(stream);
    if (!stream)
        return fail(cudaErrorInvalidResourceHandle);
    *status = !stream->capture           ? cudaStreamCaptureStatusNone
              : stream->capture->invalid ? cudaStreamCaptureStatusInvalidated
                                         : cudaStreamCaptureStatusActive;
    return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t *exec, cudaGraph_t graph,
                                 unsigned long long)
{
    Lock lock;
    if (!graph)
        return fail(cudaErrorInvalidValue);
    *exec = new CUgraphExec_st{
        std::make_shared<const std::vector<CUgraphNode_st>>(graph->nodes)};
    return cudaSuccess;
}

cudaError_t cudaGraphExecUpdate(cudaGraphExec_t exec, cudaGraph_t graph,
                                cudaGraphExecUpdateResultInfo *result)
{
    Lock lock;
    cudaGraphExecUpdateResult found = difference(*exec->nodes, graph->nodes);
    if (result)
        *result = {found, nullptr, nullptr};
    if (found != cudaGraphExecUpdateSuccess)
        return fail(cudaErrorGraphExecUpdateFailure);
    exec->nodes =
        std::make_shared<const std::vector<CUgraphNode_st>>(graph->nodes);
    return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream)
{
    Lock lock;
    if (!exec)
        return fail(cudaErrorInvalidValue);
    std::shared_ptr<const std::vector<CUgraphNode_st>> nodes = exec->nodes;
    Work work;
    work.run = [nodes] {
        counts.graph_launches++;
        run_graph(*nodes);
    };
    return enqueue(stream, std::move(work));
}

cudaError_t cudaGraphUpload(cudaGraphExec_t exec, cudaStream_t)
{
    Lock lock;
    return exec ? cudaSuccess : fail(cudaErrorInvalidValue);
}

cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t *nodes,
                              size_t *count)
{
    Lock lock;
    size_t n = graph->nodes.size();
    if (nodes)
        for (size_t i = 0; i < std::min(n, *count); i++)
            nodes[i] = &graph->nodes[i];
    *count = nodes ? std::min(n, *count) : n;
    return cudaSuccess;
}

cudaError_t cudaGraphNodeGetType(cudaGraphNode_t node,
                                 enum cudaGraphNodeType *type)
{
    Lock lock;
    switch (node->work.kind) {
    case Kind::copy:
        *type = cudaGraphNodeTypeMemcpy;
        break;
    case Kind::set:
        *type = cudaGraphNodeTypeMemset;
        break;
    case Kind::host:
        *type = cudaGraphNodeTypeHost;
        break;
    default: // a library call is kernels
        *type = cudaGraphNodeTypeKernel;
    }
    return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec)
{
    Lock lock;
    run_everything();
    delete exec;
    return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph)
{
    Lock lock;
    delete graph;
    return cudaSuccess;
}
}
