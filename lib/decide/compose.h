/* What every verdict has in common, whatever it is about. */
#ifndef BURST_DECIDE_COMPOSE_H
#define BURST_DECIDE_COMPOSE_H
#include "records/verdict.h"

/* 1 / (1 + exp(-x)). */
double compose_logistic(double x);

/* An empty verdict of a source: tense of the realm, every unknown figure NaN. */
void compose_begin(struct source source, struct verdict *ret_v);
/* Append a sentence; one too many is left out, a long one is cut. */
void compose_sentence(struct verdict *v, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Where a position stands to the Earth's limb; negative degrees: behind the Earth. */
void compose_limb(struct verdict *v, double limb_deg);
/* The action that goes with the call and reason. Source: protocol.md 6, class table. */
enum verdict_action compose_action(enum verdict_call call, enum reason_code reason);

/* Fill verdict_id: BLAKE2b-128 over, each after its length in bytes (u32, network byte order): id; record number (u32,
 * network byte order); the input_sha256 of every evidence; the model SHA-256s (64 hexadecimal characters); config_sha256.
 * Source    protocol.md 6, verdict_id */
void compose_identity(struct verdict *v, const uint8_t config_sha256[32]);
#endif
