/* SPDX-License-Identifier: Apache-2.0
 *
 * What a recording is, from its references; all of them; the one that is meant.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "libpatchbay/recording_store.h"

static void read_metadata(struct recording_store *st, const struct extent_ref *ref, char *text)
{
	uint8_t buf[RECORDING_EXTENT_BYTES];
	struct recording_extent_head h;
	struct recording_frame_head fh;
	const uint8_t *payload;

	if (store_read(st, ref, buf, &h) != RECORDING_EXTENT_OK)
		return;

	uint32_t at = h.head_bytes;

	if (recording_frame_next(buf, h.used, &at, &fh, &payload) == 1 &&
	    fh.kind == RECORDING_FRAME_METADATA && fh.length <= RECORDING_METADATA_MAX) {
		memcpy(text, payload, fh.length);
		text[fh.length] = '\0';
	}
}

/* Add the account in the head of a part's last extent; with an END, its reason. */
static bool read_account(struct recording_store *st, const struct extent_ref *ref,
			 struct recording_info *info)
{
	uint8_t buf[RECORDING_EXTENT_BYTES];
	struct recording_extent_head h;
	struct recording_frame_head fh;
	const uint8_t *payload;

	if (store_read(st, ref, buf, &h) != RECORDING_EXTENT_OK)
		return false;
	for (int ch = 0; ch < RECORDING_CHANNELS; ch++) {
		info->account.channel[ch].written += h.channel[ch].written;
		info->account.channel[ch].lost += h.channel[ch].lost;
		info->account.channel[ch].accepted += h.channel[ch].written + h.channel[ch].lost;
		if (h.channel[ch].loss != 0)
			info->account.channel[ch].loss = h.channel[ch].loss;
		if (h.minor == 0)
			continue;
		info->account.channel[ch].masked += h.more[ch].masked;
		if (h.more[ch].missing > 0)
			info->account.channel[ch].missing += (uint64_t)h.more[ch].missing;
	}
	info->account.paused_ms += h.paused_ns / 1000000;
	for (uint32_t at = h.head_bytes;
	     recording_frame_next(buf, h.used, &at, &fh, &payload) == 1;)
		if (fh.kind == RECORDING_FRAME_END &&
		    fh.length == sizeof(struct recording_end_frame))
			memcpy(&info->end, payload, sizeof(info->end));
	return true;
}

void recording_describe(struct recording_store *st, const struct extent_ref *ref, size_t n,
			struct recording_info *info, char *text)
{
	struct recording_info i = {.parts = 0, .complete = true, .account_known = true};
	uint64_t end_ns = 0;

	memcpy(i.id, ref[0].id, sizeof(i.id));
	strcpy(text, "{}");
	i.start_ns = ref[0].first_wall_ns;
	for (size_t k = 0; k < n; k++) {
		bool begins = k == 0 || ref[k].part_ns != ref[k - 1].part_ns;
		bool ends = k + 1 == n || ref[k + 1].part_ns != ref[k].part_ns;

		if (begins)
			i.parts++;
		if (begins ? ref[k].seq != 0 : ref[k].seq > ref[k - 1].seq + 1)
			i.complete = false;
		if (begins || ref[k].seq != ref[k - 1].seq) { /* not the same extent again */
			i.extents++;
			i.bytes += recording_pad(ref[k].used, RECORDING_BLOCK);
		}
		if (ref[k].first_wall_ns + ref[k].span_ns > end_ns)
			end_ns = ref[k].first_wall_ns + ref[k].span_ns;
		if (begins && k == 0 && ref[k].seq == 0)
			read_metadata(st, &ref[k], text);
		if (!ends)
			continue;
		i.ended = (ref[k].flags & RECORDING_EXTENT_LAST) != 0;
		if (!i.ended)
			i.complete = false;
		if (!read_account(st, &ref[k], &i))
			i.account_known = false;
	}
	i.duration_ns = end_ns > i.start_ns ? end_ns - i.start_ns : 0;
	i.metadata = text;
	*info = i;
}

/* --- list and find --- */

static int collect(void *ctx, const struct extent_ref *ref)
{
	return recording_extents_add(ctx, ref);
}

struct list_order {
	uint64_t start_ns;
	size_t first, n;
};

static int list_order(const void *a, const void *b)
{
	const struct list_order *x = a, *y = b;

	return x->start_ns < y->start_ns ? -1 : x->start_ns > y->start_ns;
}

/* Groups of references with the same id, oldest recording first. */
static struct list_order *group(const struct extent_refs *refs, size_t *groups)
{
	struct list_order *g = malloc((refs->n + 1) * sizeof(*g));
	size_t n = 0;

	for (size_t i = 0; g != NULL && i < refs->n; i++) {
		if (i != 0 && memcmp(refs->ref[i].id, refs->ref[i - 1].id, 16) == 0) {
			g[n - 1].n++;
			continue;
		}
		g[n++] = (struct list_order){refs->ref[i].first_wall_ns, i, 1};
	}
	if (g != NULL && n != 0)
		qsort(g, n, sizeof(*g), list_order);
	*groups = n;
	return g;
}

struct told {
	struct extent_refs refs;
	recording_damage_fn *damage;
	void *ctx;
};

static int collect_told(void *ctx, const struct extent_ref *ref)
{
	return collect(&((struct told *)ctx)->refs, ref);
}

static void damage_told(void *ctx, const struct recording_damage *d)
{
	const struct told *t = ctx;

	recording_damage_tell(t->damage, t->ctx, d);
}

int recording_store_list(struct recording_store *st, recording_info_fn *fn,
			 recording_damage_fn *damage, void *ctx)
{
	struct told t = {.damage = damage, .ctx = ctx};
	struct list_order *g = NULL;
	size_t groups = 0;
	int err = store_each(st, NULL, collect_told, damage_told, &t);

	if (err == 0 && t.refs.n != 0) {
		qsort(t.refs.ref, t.refs.n, sizeof(*t.refs.ref), recording_extent_order);
		g = group(&t.refs, &groups);
		err = g != NULL ? 0 : -ENOMEM;
	}
	for (size_t i = 0; i < groups && err == 0; i++) {
		struct recording_info info;
		char text[RECORDING_METADATA_MAX + 1];

		recording_describe(st, t.refs.ref + g[i].first, g[i].n, &info, text);
		err = fn(ctx, &info);
	}
	free(g);
	free(t.refs.ref);
	return err;
}

struct finding {
	char prefix[33];
	size_t len;
	bool found;
	uint8_t id[16];
};

static int find_one(void *ctx, const struct extent_ref *ref)
{
	struct finding *f = ctx;
	char text[RECORDING_ID_TEXT], plain[33];
	size_t n = 0;

	if (f->found && memcmp(f->id, ref->id, sizeof(f->id)) == 0)
		return 0;
	recording_id_text(ref->id, text);
	for (const char *p = text; *p != '\0'; p++)
		if (*p != '-')
			plain[n++] = *p;
	if (memcmp(plain, f->prefix, f->len) != 0)
		return 0;
	if (f->found)
		return -ENOTUNIQ;
	f->found = true;
	memcpy(f->id, ref->id, sizeof(f->id));
	return 0;
}

int recording_find(struct recording_store *st, const char *prefix, uint8_t id[16])
{
	struct finding f = {.len = 0};

	for (const char *p = prefix; *p != '\0'; p++) {
		if (*p == '-')
			continue;
		if (f.len == 32 || strchr("0123456789abcdefABCDEF", *p) == NULL)
			return -EINVAL;
		f.prefix[f.len++] = (char)(*p >= 'A' && *p <= 'F' ? *p - 'A' + 'a' : *p);
	}
	if (f.len < 4)
		return -EINVAL;

	uint8_t id_of_prefix[16] = {0};

	for (size_t i = 0; i < f.len; i++) {
		int v = f.prefix[i] <= '9' ? f.prefix[i] - '0' : f.prefix[i] - 'a' + 10;

		id_of_prefix[i / 2] |= (uint8_t)(i % 2 == 0 ? v << 4 : v);
	}

	int err = store_each_prefix(st, id_of_prefix, (unsigned)f.len, find_one, NULL, &f);

	if (err == 0 && !f.found)
		err = -ENOENT;
	if (err == 0)
		memcpy(id, f.id, sizeof(f.id));
	return err;
}
