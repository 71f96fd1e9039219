/* SPDX-License-Identifier: Apache-2.0
 *
 * The filter's object is embedded in the program. Its read-only data hold a struct xdp_rtp_config
 * behind a magic word; a copy of the object with addresses and ports written there goes to a
 * memory file, whose name under /proc/self/fd is what DPDK's driver loads and attaches.
 *
 * A killed engine leaves its filter on the interface, and the driver will not replace it. Whether a
 * filter is ours is told by its name; whether its engine lives, by the lock of port.c, which this
 * process holds by now. A stranger's filter is left alone, and AF_XDP is then not to be had.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/log.h"
#include "base/must.h"
#include "port/port_priv.h"
#include "port/port_xdp.h"
#include "port/port_xdp_object.h"
#include "port/xdp_rtp.h"

#define FILTER_NAME "patchbay_rtp"

static int say(char *why, size_t size, int err, const char *what)
{
	snprintf(why, size, "%s: %s", what, strerror(-err));
	return err;
}

char *port_xdp_patch(const char *object, size_t size, const struct net_own *own, uint16_t first,
		     uint16_t last)
{
	struct xdp_rtp_config cfg = {
		.magic = XDP_RTP_MAGIC,
		.first = first,
		.last = last,
		.has_ip4 = own->ip4,
		.has_ip6 = own->ip6,
	};
	char *copy = malloc(size), *at;

	if (copy == NULL)
		return NULL;
	memcpy(copy, object, size);
	memcpy(cfg.ip4, own->ip4_addr, 4);
	memcpy(cfg.ip6, own->ip6_addr, 16);
	at = memmem(copy, size, XDP_RTP_MAGIC, sizeof(XDP_RTP_MAGIC));
	must(at != NULL && at + sizeof(cfg) <= copy + size);
	memcpy(at, &cfg, sizeof(cfg));
	return copy;
}

static int write_object(struct port *p)
{
	char *object = port_xdp_patch(port_xdp_object, port_xdp_object_len, &p->own,
				      p->cfg.rtp_first, p->cfg.rtp_last);
	int fd = memfd_create("patchbay-xdp", MFD_CLOEXEC);
	ssize_t n = -1;

	if (object != NULL && fd >= 0)
		n = write(fd, object, port_xdp_object_len);
	free(object);
	if (n != (ssize_t)port_xdp_object_len) {
		int err = errno != 0 ? -errno : -ENOMEM;

		if (fd >= 0)
			close(fd);
		return err;
	}
	p->object_fd = fd;
	return 0;
}

/* The name of the filter with this id: 0 or negative errno. */
static int name_of(uint32_t id, char name[BPF_OBJ_NAME_LEN])
{
	struct bpf_prog_info info = {0};
	uint32_t len = sizeof(info);
	int fd = bpf_prog_get_fd_by_id(id), err;

	if (fd < 0)
		return -errno;
	err = bpf_obj_get_info_by_fd(fd, &info, &len) == 0 ? 0 : -errno;
	close(fd);
	memcpy(name, info.name, BPF_OBJ_NAME_LEN);
	name[BPF_OBJ_NAME_LEN - 1] = '\0';
	return err;
}

static int detach_stale(int ifindex, const char *interface, char *why, size_t size)
{
	char name[BPF_OBJ_NAME_LEN] = "";
	uint32_t id = 0;
	int err = bpf_xdp_query_id(ifindex, 0, &id);

	if (err < 0)
		return say(why, size, err, "the kernel does not tell about XDP programs");
	if (id == 0)
		return 0;
	err = name_of(id, name);
	if (err < 0)
		return say(why, size, err, "the XDP program on the interface cannot be read");
	if (strcmp(name, FILTER_NAME) != 0) {
		snprintf(why, size, "another XDP program, \"%s\", is on the interface", name);
		return -EBUSY;
	}
	err = bpf_xdp_detach(ifindex, 0, NULL);
	if (err < 0)
		return say(why, size, err, "the XDP program of a killed engine cannot be removed");
	log_info("port", "removed the XDP filter that a killed engine had left on %s", interface);
	return 0;
}

int port_xdp_prepare(struct port *p, char *why, size_t why_size)
{
	int err;

	libbpf_set_print(NULL);
	errno = 0;
	err = detach_stale(p->kernel.index, p->name, why, why_size);
	if (err < 0)
		return err;
	err = write_object(p);
	return err < 0 ? say(why, why_size, err, "no memory file for the XDP filter") : 0;
}

void port_xdp_cleanup(struct port *p)
{
	char why[200];

	if (p->object_fd < 0)
		return;
	close(p->object_fd);
	p->object_fd = -1;
	/* The driver detaches when it is closed; after a failed start it may have left the filter. */
	(void)detach_stale(p->kernel.index, p->name, why, sizeof(why));
}
