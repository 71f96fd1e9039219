/* SPDX-License-Identifier: Apache-2.0
 *
 * The playing thread spends its life in one system call, BPF_PROG_TEST_RUN with live frames: the kernel runs
 * gen_send again and again, and each run sends a frame that is due, or nothing. A signal ends it.
 * Setting such a run up takes tens of milliseconds, so it is begun before the first frame is due.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gen_line.h"
#include "gen_object.h"

enum {
	/* Frames are handed over when a batch of runs is through: few, so that none waits; and
	 * enough that the batch's own cost does not count. */
	BATCH = 24,
	PAGE = 4096,
};

struct veth {
	struct bpf_object *object;
	struct bpf_tc_hook hook;
	pthread_t thread;
	bool running, hooked;
	int send_fd, cpu, result;
};

static bool complain(const char *what, int err)
{
	fprintf(stderr, "bench_gen: %s: %s\n", what, strerror(err < 0 ? -err : err));
	return false;
}

static void *map_memory(struct bpf_object *o, const char *name, size_t bytes)
{
	int fd = bpf_object__find_map_fd_by_name(o, name);
	void *p = mmap(NULL, (bytes + PAGE - 1) & ~(size_t)(PAGE - 1), PROT_READ | PROT_WRITE,
		       MAP_SHARED, fd, 0);

	return p == MAP_FAILED ? NULL : p;
}

static bool load(struct gen_line *l, struct veth *v)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "gen_wire");
	int err;

	v->object = bpf_object__open_mem(gen_wire_object, gen_wire_object_len, &opts);
	if (v->object == NULL)
		return complain("the BPF object", errno);
	bpf_map__set_max_entries(bpf_object__find_map_by_name(v->object, "film"),
				 (uint32_t)l->slots);
	bpf_map__set_max_entries(bpf_object__find_map_by_name(v->object, "heard"),
				 (uint32_t)l->log_max);
	err = bpf_object__load(v->object);
	if (err != 0)
		return complain("the kernel refuses the BPF programs (root? Linux 5.18 or later?)",
				err);
	v->send_fd = bpf_program__fd(bpf_object__find_program_by_name(v->object, "gen_send"));
	l->film = map_memory(v->object, "film", l->slots * sizeof(struct gen_slot));
	l->log = map_memory(v->object, "heard", l->log_max * sizeof(struct gen_heard));
	l->clock = map_memory(v->object, "clockwork", sizeof(struct gen_clockwork));
	if (l->film == NULL || l->log == NULL || l->clock == NULL)
		return complain("no memory for film and log", ENOMEM);
	return true;
}

static bool hook(struct veth *v, unsigned ifindex)
{
	LIBBPF_OPTS(bpf_tc_hook, at, .ifindex = (int)ifindex, .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = 1, .priority = 1, .flags = BPF_TC_F_REPLACE);
	int err = bpf_tc_hook_create(&at);

	if (err != 0 && err != -EEXIST)
		return complain("tc on the interface", err);
	opts.prog_fd = bpf_program__fd(bpf_object__find_program_by_name(v->object, "gen_hear"));
	err = bpf_tc_attach(&at, &opts);
	if (err != 0)
		return complain("the filter on the interface", err);
	v->hook = at;
	v->hooked = true;
	return true;
}

static bool read_mac(const char *iface, uint8_t mac[6])
{
	struct ifreq r = {0};
	int fd = socket(AF_INET, SOCK_DGRAM, 0), err;

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", iface);
	err = fd < 0 || ioctl(fd, SIOCGIFHWADDR, &r) != 0 ? errno : 0;
	if (fd >= 0)
		close(fd);
	if (err != 0)
		return complain(iface, err);
	memcpy(mac, r.ifr_hwaddr.sa_data, 6);
	return true;
}

static void wake(int signal)
{
	(void)signal;
}

static void *play(void *arg)
{
	struct veth *v = arg;
	uint8_t frame[GEN_FRAME_MAX] = {0};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = sizeof(frame),
		    .repeat = INT32_MAX, .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = BATCH);
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((unsigned)v->cpu, &set);
	(void)sched_setaffinity(0, sizeof(set), &set);
	(void)sched_setscheduler(0, SCHED_RR, &(struct sched_param){.sched_priority = 1});
	do
		v->result = bpf_prog_test_run_opts(v->send_fd, &opts);
	while (v->result == 0 || v->result == -EAGAIN);
	return NULL;
}

static bool start(struct gen_line *l)
{
	struct veth *v = l->kind;
	struct sigaction act = {.sa_handler = wake}; /* without SA_RESTART */

	sigaction(SIGUSR1, &act, NULL);
	v->running = pthread_create(&v->thread, NULL, play, v) == 0;
	return v->running;
}

static bool stop(struct gen_line *l)
{
	struct veth *v = l->kind;

	if (!v->running)
		return true;
	pthread_kill(v->thread, SIGUSR1);
	pthread_join(v->thread, NULL);
	v->running = false;
	return v->result == -EINTR || complain("the kernel did not play", v->result);
}

static void veth_close(struct gen_line *l)
{
	struct veth *v = l->kind;

	if (v == NULL)
		return;
	(void)stop(l);
	if (v->hooked) {
		v->hook.attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS; /* the whole qdisc */
		(void)bpf_tc_hook_destroy(&v->hook);
	}
	bpf_object__close(v->object);
	free(v);
	l->kind = NULL;
}

bool gen_veth_open(struct gen_line *l, const char *iface, uint64_t slots, uint64_t log_max, int cpu)
{
	struct veth *v = calloc(1, sizeof(*v));
	unsigned ifindex = if_nametoindex(iface);

	*l = (struct gen_line){.slots = slots,
			       .log_max = log_max,
			       .start = start,
			       .stop = stop,
			       .close = veth_close,
			       .kind = v};
	if (v == NULL)
		return false;
	v->cpu = cpu;
	if (ifindex == 0 || !read_mac(iface, l->mac))
		return complain(iface, ENODEV);
	if (!load(l, v) || !hook(v, ifindex))
		return false;
	l->clock->ifindex = ifindex;
	return true;
}
