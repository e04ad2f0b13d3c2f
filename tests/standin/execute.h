/* Running a launch, for the stand-in's own files. */
#ifndef BURST_STANDIN_EXECUTE_H
#define BURST_STANDIN_EXECUTE_H
#include <string>

struct standin_kernel;

/* Run every block and thread of it before returning. Thread-safe: one launch at a time. */
void standin_execute(const struct standin_kernel *);

/* `pool` where the launch was written cuda_launch(pool<8>, ...). */
std::string standin_kernel_name(const struct standin_kernel *);
#endif
