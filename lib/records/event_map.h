/* Where the event files of an added instrument keep what burstd needs: made once at start, read by ingest. */
#ifndef BURST_RECORDS_EVENT_MAP_H
#define BURST_RECORDS_EVENT_MAP_H
#include <stdbool.h>
#include <stdint.h>

enum { EVENT_MAP_TEXT = 48, EVENT_MAP_KEEP = 8 };

/* A row counts where the column's value lies in [least, most]; of a column of bits (X) the number of those set. */
struct event_keep {
    char column[EVENT_MAP_TEXT];
    int64_t least, most;
};

struct event_map {
    bool table_each;               /* tables TABLE01, TABLE02 ... of one detector each; else one table of all */
    char table[EVENT_MAP_TEXT];    /* EXTNAME, or what it begins with */
    char time[EVENT_MAP_TEXT];     /* column of seconds, form D */
    char channel[EVENT_MAP_TEXT];  /* column of the channel, form I or B */
    char detector[EVENT_MAP_TEXT]; /* column of the detector's number, form I or B; "": there is one detector */
    int first_detector;            /* number of the first detector in that column */
    bool good_in_header;           /* good time is TSTART to TSTOP; else the HDU GTI says it */
    bool linear;   /* channel c has [first + c, first + c + 1) x channel_kev; else the HDU EBOUNDS says it */
    int n_channel; /* of the linear law */
    double first_kev, channel_kev;
    double dead_s; /* dead time of a row; 0: not known */
    int n_keep;
    struct event_keep keep[EVENT_MAP_KEEP];
};
#endif
