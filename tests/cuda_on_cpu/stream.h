/* Internal to stream.cpp, event.cpp and graph.cpp: queues and captures. */
#ifndef CUDA_ON_CPU_STREAM_H
#define CUDA_ON_CPU_STREAM_H

#include "emulator.h"

#include <deque>
#include <thread>

/* A node runs after those that it names. */
struct CUgraphNode_st {
    cuda_on_cpu::Work work;
    std::vector<int> after;
};

struct CUgraph_st {
    std::vector<CUgraphNode_st> nodes;
};

struct CUgraphExec_st {
    std::shared_ptr<const std::vector<CUgraphNode_st>> nodes;
};

namespace cuda_on_cpu
{
struct Capture {
    CUgraph_st graph;
    cudaStream_t origin;
    cudaStreamCaptureMode mode;
    std::thread::id thread;
    bool invalid = false, ended = false;
};

/* A stream's work up to and with that number. */
struct Point {
    cudaStream_t stream;
    uint64_t number;
};

struct Item {
    Work work;
    std::vector<Point> after;
};
} // namespace cuda_on_cpu

struct CUstream_st {
    std::deque<cuda_on_cpu::Item> queue;
    uint64_t submitted = 0, done = 0;
    bool blocking = true; /* orders itself with the legacy stream */
    bool destroyed = false;
    std::vector<cuda_on_cpu::Point> after; /* what the next item waits for */
    std::shared_ptr<cuda_on_cpu::Capture> capture;
    std::vector<int> tail; /* nodes that the next node comes after */
};

struct CUevent_st {
    cudaStream_t stream = nullptr;
    uint64_t number = 0;
    double milliseconds = 0;
    std::shared_ptr<cuda_on_cpu::Capture> capture;
    std::vector<int> nodes;
};

namespace cuda_on_cpu
{
/* The legacy stream where it is 0; null where it was destroyed. */
cudaStream_t real_stream(cudaStream_t stream);
std::vector<cudaStream_t> &all_streams();
void run_until(cudaStream_t stream, uint64_t number);
/* Enters the work as a node, after what the stream's tail names. */
void capture_work(cudaStream_t stream, Work work);
} // namespace cuda_on_cpu

#endif
