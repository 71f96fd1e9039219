/* CRC-32C (Castagnoli, reflected polynomial 0x82F63B78; RFC 3720, B.4), as used by the recording
 * format. The hardware instruction is used where the CPU has it, a table elsewhere; both
 * give the same value.
 *
 * Thread: any; pure.
 */
#ifndef BASE_CRC32C_H
#define BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Continue a checksum over `len` bytes. Start with `crc` = 0. crc32c(0, "123456789", 9) is
 * 0xE3069283. */
uint32_t crc32c(uint32_t crc, const void *data, size_t len);

/* The portable form of the same, for tests and other CPUs. */
uint32_t crc32c_table(uint32_t crc, const void *data, size_t len);

#endif
