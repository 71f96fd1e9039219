/* SPDX-License-Identifier: Apache-2.0
 *
 * AF_PACKET gives a copy of every frame of the interface to us and the original to the kernel. Two
 * filters make it a shared port: a socket filter, so that the copy is made of RTP only, and a
 * filter at the interface's entrance (tc, behind the point where copies are taken), so that the
 * kernel does not answer RTP with "port unreachable". Without the first the engine only works
 * more; without the second some phones stop sending when they are told so.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <bpf/libbpf.h>

#include "base/log.h"
#include "base/units.h"
#include "port/port_priv.h"
#include "port/port_xdp.h"
#include "port/port_xdp_object.h"

enum { TC_PRIORITY = 0x5042, TC_HANDLE = 1, SNAP = 0xffff };

static int filter_sockets(const struct port *p)
{
	uint32_t ip4 = be32_get(p->own.ip4_addr), ip6[4];
	uint32_t first = p->cfg.rtp_first, last = p->cfg.rtp_last;

	for (unsigned i = 0; i < 4; i++)
		ip6[i] = be32_get(p->own.ip6_addr + 4 * i);

	/* Line numbers in front; a refusal jumps to 23. */
	struct sock_filter code[] = {
		/* 0 */ BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
		/* 1 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IPV6, 8, 0),
		/* 2 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IP, 0, 20),
		/* 3 */ BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 23),
		/* 4 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NET_PROTO_UDP, 0, 18),
		/* 5 */ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 30),
		/* 6 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ip4, 0, 16),
		/* 7 */ BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 14),
		/* 8 */ BPF_STMT(BPF_LD | BPF_H | BPF_IND, 16),
		/* 9 */ BPF_STMT(BPF_JMP | BPF_JA, 11),
		/* 10 */ BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 20),
		/* 11 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NET_PROTO_UDP, 0, 11),
		/* 12 */ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 38),
		/* 13 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ip6[0], 0, 9),
		/* 14 */ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 42),
		/* 15 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ip6[1], 0, 7),
		/* 16 */ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 46),
		/* 17 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ip6[2], 0, 5),
		/* 18 */ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 50),
		/* 19 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ip6[3], 0, 3),
		/* 20 */ BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 56),
		/* 21 */ BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, last, 1, 0),
		/* 22 */ BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, first, 1, 0),
		/* 23 */ BPF_STMT(BPF_RET | BPF_K, 0),
		/* 24 */ BPF_STMT(BPF_RET | BPF_K, SNAP),
	};
	struct sock_fprog prog = {.len = sizeof(code) / sizeof(code[0]), .filter = code};
	int err = 0;

	for (unsigned i = 0; i < p->queue_fds; i++)
		if (p->queue_fd[i] >= 0 && setsockopt(p->queue_fd[i], SOL_SOCKET, SO_ATTACH_FILTER,
						      &prog, sizeof(prog)) != 0)
			err = -errno;
	return err;
}

static int hook_tc(struct port *p)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = p->kernel.index, .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = TC_HANDLE, .priority = TC_PRIORITY,
		    .flags = BPF_TC_F_REPLACE);
	char *patched = port_xdp_patch(port_tc_object, port_tc_object_len, &p->own,
				       p->cfg.rtp_first, p->cfg.rtp_last);
	struct bpf_object *object;
	struct bpf_program *program;
	int err;

	if (patched == NULL)
		return -ENOMEM;
	libbpf_set_print(NULL);
	object = bpf_object__open_mem(patched, port_tc_object_len, NULL);
	if (object == NULL) {
		free(patched);
		return -errno;
	}
	err = bpf_object__load(object);
	program = bpf_object__find_program_by_name(object, "patchbay_drop");
	if (err == 0) {
		err = bpf_tc_hook_create(&hook);
		p->tc_made = err == 0;
		if (err == -EEXIST) /* somebody else's: they keep it */
			err = 0;
	}
	if (err == 0) {
		opts.prog_fd = bpf_program__fd(program);
		err = bpf_tc_attach(&hook, &opts);
	}
	bpf_object__close(object); /* the hook keeps what it needs */
	free(patched);
	return err;
}

void port_packet_filter(struct port *p)
{
	int err = filter_sockets(p);

	if (err < 0)
		log_warn("port", "%s: no socket filter (%s): the engine sees all traffic", p->name,
			 strerror(-err));
	err = hook_tc(p);
	if (err < 0)
		log_warn("port",
			 "%s: no tc filter (%s): the kernel may answer RTP with port unreachable",
			 p->name, strerror(-err));
}

void port_packet_cleanup(struct port *p)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = p->kernel.index, .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = TC_HANDLE, .priority = TC_PRIORITY);

	libbpf_set_print(NULL);
	(void)bpf_tc_detach(&hook, &opts);
	if (p->tc_made) {
		hook.attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS; /* the whole of it */
		(void)bpf_tc_hook_destroy(&hook);
	}
	p->tc_made = false;
}
