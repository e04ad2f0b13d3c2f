/* One notice's bytes to one checked record: JSON (GCN unified schema v2..v7, or a VOEvent written as JSON), VOEvent XML,
 * and GCN classic binary packets. Liberal in spelling, strict in values: what cannot be believed is refused with one
 * sentence that names the field, its value and the line. Keeps no state, opens no file, asks no network, prints nothing. */
#ifndef BURST_INGEST_NOTICE_H
#define BURST_INGEST_NOTICE_H
#include "records/notice.h"

/* What the header's `content` says the body is; JSON and XML have the numbers of protocol.md 1. GCN classic binary has no
 * number on the wire: files and gateways that hold such packets name it themselves. */
enum notice_content { NOTICE_JSON = 2, NOTICE_XML = 3, NOTICE_BINARY = 160 };

enum {
    NOTICE_BODY_MOST = 256 * 1024, /* bytes; real notices have 0.5 to 9 KiB */
    NOTICE_DEPTH_MOST = 32         /* elements or brackets within each other */
};

/* Read a notice.
 *
 * Given     source    what the topic said: realm and mission; the notice must agree. instrument is not looked at
 *           content   what the header said; the body must begin that way
 *           body [n]  lent for the call
 * Returned  ret_notice  a whole record: all fields written, absent ones as records/notice.h says
 * Errors    BURST_E_LIMIT        more than NOTICE_BODY_MOST bytes, NOTICE_DEPTH_MOST levels, 512 Params, 8 citations
 *           BURST_E_FORMAT       no well-formed JSON or XML (line:column said), a document type declaration, a key given
 *                                twice, NaN or Infinity, a number or word that is none
 *           BURST_E_MISSING      no IVORN (VOEvent), no trigger id, no trigger time (a retraction needs none)
 *           BURST_E_TRUNCATED    fewer than the 160 bytes of a classic packet
 *           BURST_E_UNSUPPORTED  no notice, or one of a kind burstd does not take: its name or packet type is said
 *           BURST_E_RANGE        a value outside what its unit allows; half a position
 *           BURST_E_TIME         a time that is no UTC, or outside 1990..2100
 *           BURST_E_CONFLICT     the notice contradicts itself (IVORN and Burst_Id, the times it gives, trigger number and
 *                                time) or its topic (another mission)
 *           ret_notice is untouched on every error
 * Notes     Unknown extra fields are ignored. Thread rule: any thread, any number at once, after one call of
 *           ingest_notice_start; libxml2's and jansson's memory is malloc'd and freed within the call.
 * Source    formats.md 4; GCN unified schema v7.2.1; VOEvent 2.0 */
enum burst_err ingest_notice(struct source source, enum notice_content content, const uint8_t *body, size_t n,
                             struct notice *ret_notice, struct burst_error *reterr);

/* Prepare libxml2 for use from several threads: once, from the program's first thread, before any other may read a
 * notice. A program of one thread need not call it. */
void ingest_notice_start(void);
#endif
