/* probe.h - ceilings and costs of this machine and process. */
#ifndef HG_PROBE_H
#define HG_PROBE_H

/* Peak float multiply-adds of so many threads, in GFLOP/s. */
double probe_peak_gflops(int threads);
/* The most memory this process ever held, in MiB. */
double probe_peak_mib(void);

#endif
