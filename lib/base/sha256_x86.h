/* SHA-256 blocks with the x86 SHA instructions: every body that comes is hashed, and these are four times as fast. */
#ifndef BURST_BASE_SHA256_X86_H
#define BURST_BASE_SHA256_X86_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether this processor has them; false on any other kind of processor. */
bool sha256_x86_present(void);

/* Take n blocks of 64 bytes into the state, where sha256_x86_present().
 * Source  FIPS 180-4, 6.2.2; Intel 64 and IA-32 Architectures Software Developer's Manual, SHA256RNDS2, SHA256MSG1,
 *         SHA256MSG2 */
void sha256_x86_blocks(uint32_t state[8], const uint8_t *block, size_t n);
#endif
