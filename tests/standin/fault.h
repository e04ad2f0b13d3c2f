/* Counting calls and failing them, for the stand-in's own files. */
#ifndef BURST_STANDIN_FAULT_H
#define BURST_STANDIN_FAULT_H
#include <string>

enum standin_how { STANDIN_WELL, STANDIN_FAILS, STANDIN_HANGS, STANDIN_SLOW };
struct standin_fault {
    enum standin_how how;
    int status; /* of FAILS: 0 where none was given; of SLOW: milliseconds */
};

/* Count a call of that kind, and what shall become of it. Thread-safe. */
struct standin_fault standin_called(const std::string &kind);

/* Add to what standin_live counts. Thread-safe. */
void standin_count(const char *what, int by);

/* Wait as a call told to hang or to be slow does. */
void standin_linger(struct standin_fault);

/* The number of a status by its name in NVIDIA's headers; false for a name this stand-in never gives. */
bool standin_status_of(const char *name, int *ret_status);
#endif
