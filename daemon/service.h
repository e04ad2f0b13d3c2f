/* systemd's notify protocol, and nothing when there is no systemd. */
#ifndef BURST_DAEMON_SERVICE_H
#define BURST_DAEMON_SERVICE_H
#include <stdint.h>

/* READY=1. */
void service_ready(const char *status);
/* STATUS= for `systemctl status`. */
void service_status(const char *status);
/* RELOADING=1 with the monotonic time; service_ready ends it (systemd 252 has no Type=notify-reload). */
void service_reloading(void);
void service_stopping(void);
/* WATCHDOG=1. */
void service_alive(void);
/* Nanoseconds between the pings systemd wants; 0: it wants none. */
int64_t service_watchdog_ns(void);
#endif
