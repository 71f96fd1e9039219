/* Units of time and the page of big-endian access that every wire format needs.
 *
 * DPDK's headers define NS_PER_S; ours carry their own prefix so that both may be included.
 *
 * Thread: any; pure.
 */
#ifndef BASE_UNITS_H
#define BASE_UNITS_H

#include <stdint.h>
#include <string.h>

#define PB_NS_PER_S  UINT64_C(1000000000)
#define PB_NS_PER_MS UINT64_C(1000000)
#define PB_NS_PER_US UINT64_C(1000)

static inline uint16_t be16_get(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t be32_get(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline void be16_put(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void be32_put(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

#endif
