/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crc32c.h"
#include "base/ext.h"
#include "base/units.h"

#include "check.h"

static void sequence_widens_both_ways_over_the_wrap(void)
{
	check(ext16(EXT_ORIGIN + 0xffff, 0) == EXT_ORIGIN + 0x10000);
	check(ext16(EXT_ORIGIN + 0x10000, 0xffff) == EXT_ORIGIN + 0xffff);
	check(ext16(EXT_ORIGIN, 0xfff0) == EXT_ORIGIN - 16);
}

static void timestamp_widens_both_ways_over_the_wrap(void)
{
	check(ext32(EXT_ORIGIN + 0xffffff00, 0x10) == EXT_ORIGIN + 0x100000010);
	check(ext32(EXT_ORIGIN + 0x100000010, 0xffffff00) == EXT_ORIGIN + 0xffffff00);
}

static void crc32c_is_the_one_of_rfc3720(void)
{
	uint8_t zeros[32] = {0};

	check(crc32c(0, "123456789", 9) == 0xe3069283);
	check(crc32c(0, zeros, sizeof(zeros)) == 0x8a9136aa);
}

static void crc32c_by_table_and_by_instruction_agree(void)
{
	uint8_t bytes[257];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 131 + 7);
	for (size_t cut = 0; cut <= sizeof(bytes); cut++) {
		uint32_t whole = crc32c_table(0, bytes, sizeof(bytes));

		check(crc32c(0, bytes, cut) == crc32c_table(0, bytes, cut));
		check(crc32c(crc32c(0, bytes, cut), bytes + cut, sizeof(bytes) - cut) == whole);
	}
}

static void big_endian_survives_the_round_trip(void)
{
	uint8_t b[4];

	be32_put(b, 0x81020304);
	check(b[0] == 0x81 && b[3] == 4);
	check(be32_get(b) == 0x81020304);
	be16_put(b, 0xfe01);
	check(be16_get(b) == 0xfe01);
}

static const struct check_case cases[] = {
	CHECK_CASE(sequence_widens_both_ways_over_the_wrap),
	CHECK_CASE(timestamp_widens_both_ways_over_the_wrap),
	CHECK_CASE(crc32c_is_the_one_of_rfc3720),
	CHECK_CASE(crc32c_by_table_and_by_instruction_agree),
	CHECK_CASE(big_endian_survives_the_round_trip),
};
CHECK_MAIN(cases)
