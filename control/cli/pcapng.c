/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/pcapng.h"

#include <string.h>

enum {
	BLOCK_SECTION = 0x0a0d0d0a,
	BLOCK_INTERFACE = 1,
	BLOCK_PACKET = 6,
	BYTE_ORDER_MAGIC = 0x1a2b3c4d,
	LINK_ETHERNET = 1,
	OPTION_END = 0,
	OPTION_COMMENT = 1,
	OPTION_FLAGS = 2,       /* of a packet */
	OPTION_APPLICATION = 4, /* of a section */
	OPTION_RESOLUTION = 9,  /* of an interface: 10^-9 s */
	COMMENT_MAX = 200,
};

static void put(FILE *out, const void *p, size_t n)
{
	(void)!fwrite(p, 1, n, out);
}

static void put16(FILE *out, uint16_t v)
{
	put(out, &v, sizeof(v));
}

static void put32(FILE *out, uint32_t v)
{
	put(out, &v, sizeof(v));
}

static uint32_t padded(size_t n)
{
	return (uint32_t)((n + 3) & ~(size_t)3);
}

static void put_padded(FILE *out, const void *p, size_t n)
{
	static const char zero[4];

	put(out, p, n);
	put(out, zero, padded(n) - n);
}

static void put_option(FILE *out, uint16_t code, const void *p, size_t n)
{
	put16(out, code);
	put16(out, (uint16_t)n);
	put_padded(out, p, n);
}

/* Integers are written in this machine's order: the magic tells the reader which it is. */
void pcapng_begin(FILE *out, const char *application)
{
	size_t n = strlen(application);
	uint32_t section = 28 + 4 + padded(n) + 4, interface = 20 + 8 + 4;
	const uint8_t resolution = 9;

	put32(out, BLOCK_SECTION);
	put32(out, section);
	put32(out, BYTE_ORDER_MAGIC);
	put16(out, 1);
	put16(out, 0);
	put32(out, UINT32_MAX); /* section length: not known */
	put32(out, UINT32_MAX);
	put_option(out, OPTION_APPLICATION, application, n);
	put32(out, OPTION_END);
	put32(out, section);

	put32(out, BLOCK_INTERFACE);
	put32(out, interface);
	put16(out, LINK_ETHERNET);
	put16(out, 0);
	put32(out, 0); /* no limit to what is kept of a packet */
	put_option(out, OPTION_RESOLUTION, &resolution, 1);
	put32(out, OPTION_END);
	put32(out, interface);
}

void pcapng_packet(FILE *out, const struct pcapng_packet *p)
{
	size_t comment = p->comment != NULL ? strnlen(p->comment, COMMENT_MAX) : 0;
	uint32_t flags = p->inbound ? 1 : 2;
	uint32_t block = 28 + padded(p->kept) + 8 + (comment > 0 ? 4 + padded(comment) : 0) + 4 + 4;

	put32(out, BLOCK_PACKET);
	put32(out, block);
	put32(out, 0); /* interface */
	put32(out, (uint32_t)(p->time_ns >> 32));
	put32(out, (uint32_t)p->time_ns);
	put32(out, p->kept);
	put32(out, p->length);
	put_padded(out, p->frame, p->kept);
	put_option(out, OPTION_FLAGS, &flags, sizeof(flags));
	if (comment > 0)
		put_option(out, OPTION_COMMENT, p->comment, comment);
	put32(out, OPTION_END);
	put32(out, block);
}
