/* SPDX-License-Identifier: Apache-2.0
 *
 * Trunks: the choice among several, the pauses, registration against our own registrar and against a
 * carrier made by hand, health by OPTIONS, names, and who vouches for whom.
 */
#include <stdlib.h>
#include <string.h>

#include <re.h>

#include "check.h"
#include "sip/sip_priv.h"
#include "sip/sip_scene.h"
#include "sip/sip_trunk.h"

/* --- decisions --- */

static void the_choice(void)
{
	struct sip_trunk_candidate c[4] = {
		{.prefix_len = 0, .priority = 0, .weight = 1, .fits = true, .up = true},
		{.prefix_len = 3, .priority = 1, .weight = 1, .fits = true, .up = true},
		{.prefix_len = 3, .priority = 0, .weight = 3, .fits = true, .up = true},
		{.prefix_len = 3, .priority = 0, .weight = 1, .fits = true, .up = true},
	};
	unsigned got[4] = {0};

	for (uint32_t lot = 0; lot < 400; lot++)
		got[sip_trunk_pick(c, 4, lot)]++;
	check_int(got[2], 300);
	check_int(got[3], 100);
	c[2].up = c[3].up = false;
	check_int(sip_trunk_pick(c, 4, 7), 1); /* the next priority */
	c[1].up = false;
	check_int(sip_trunk_pick(c, 4, 7), 0); /* a shorter prefix that works */
	c[0].fits = false;
	check_int(sip_trunk_pick(c, 4, 0), 2); /* none works: the best is tried all the same */
	c[1].fits = c[2].fits = c[3].fits = false;
	check_int(sip_trunk_pick(c, 4, 0), -1);
	c[0] = c[1] = (struct sip_trunk_candidate){.fits = true, .up = true};
	check_int(sip_trunk_pick(c, 2, 5), 0); /* weights of zero */
}

static void the_pauses(void)
{
	check_int(sip_trunk_pause_ms(1, 0), 2000);
	check_int(sip_trunk_pause_ms(1, 2000), 4000);
	check_int(sip_trunk_pause_ms(3, 0), 8000);
	check_int(sip_trunk_pause_ms(7, 0), 128000);
	check_int(sip_trunk_pause_ms(8, 0), 150000);
	check_int(sip_trunk_pause_ms(40, 0), 150000);
	check_int(sip_trunk_pause_ms(4000000, 150000), 300000);
}

/* --- against our own registrar --- */

struct seen {
	struct sip_trunk_view v[4];
	char why[4][SIP_TEXT_MAX];
	size_t n;
};

static void see(const struct sip_trunk_view *v, void *arg)
{
	struct seen *s = arg;

	if (s->n < 4) {
		s->v[s->n] = *v;
		(void)re_snprintf(s->why[s->n++], SIP_TEXT_MAX, "%s", v->why);
	}
}

static struct seen look(const struct kit_line *l)
{
	struct seen s = {0};

	sip_trunk_each(l->stack, see, &s);
	return s;
}

static const char *the_password = "pw-1001";

static bool password(void *arg, const char *trunk, char *out, size_t size)
{
	(void)arg;
	(void)trunk;
	str_ncpy(out, the_password, size);
	return true;
}

static void with_password(struct sip_stack_config *cfg)
{
	cfg->handlers.trunk_password = password;
	cfg->accept_unknown = false;
	cfg->limits.retry_after_s = 1;
}

static bool sha256_only;

static void carrier(struct sip_stack_config *cfg)
{
	cfg->limits.expires_min_s = 60;
	cfg->offer_sha256 = sha256_only;
}

struct until {
	const struct kit_line *l;
	enum sip_trunk_state state;
};

static bool is_so(void *arg)
{
	const struct until *u = arg;

	return look(u->l).v[0].state == u->state;
}

static bool comes(const struct kit_line *l, enum sip_trunk_state state, uint32_t ms)
{
	struct until u = {l, state};

	return kit_run(is_so, &u, ms);
}

static void registered_with_digest(void)
{
	static struct kit_line carrier_line, us;

	/* MD5, SHA-256, and MD5 over a connection. */
	for (int way = 0; way < 3; way++) {
		struct sip_trunk_setup setup = {.name = "carrier",
						.host = "127.0.0.1",
						.prefix = "",
						.weight = 1,
						.user = "1001",
						.registers = true,
						.trusted = true,
						.expires_s = 30};

		sha256_only = way == 1;
		the_password = "pw-1001";
		kit_up();
		check_int(kit_open(&carrier_line, carrier), 0);
		check_int(kit_open(&us, with_password), 0);
		setup.port = carrier_line.port[way == 2 ? 1 : 0];
		setup.transport = way == 2 ? SIP_OVER_TCP : SIP_OVER_UDP;
		check_int(sip_stack_trunks(us.stack, &setup, 1), 0);
		/* 401, then 423 (60 s at least), then 200. */
		check(comes(&us, SIP_TRUNK_UP, SOON));
		check_int(carrier_line.registered, 1);

		struct seen s = look(&us);

		check(s.v[0].registered_s >= 59 && s.v[0].registered_s <= 60);
		check_int(s.v[0].registrations, 1);
		check_str(s.v[0].address, "127.0.0.1");

		/* What comes from there is the trunk's call; what goes there proves who we are. */
		struct sip_invite in = {.user = "1001", .from_user = "13800138000"};

		check(kit_dial(&carrier_line, &in) != NULL);
		check(kit_until(&carrier_line.call[0].answered, 1, SOON));
		check_str(kit_last(&us)->info.trunk_name, "carrier");
		check(kit_last(&us)->info.trusted);

		struct sip_invite out = {.user = "1002",
					 .trunk = "carrier",
					 .from_user = "1001",
					 .from_host = "pb.test"};
		struct kit_call *k = kit_dial(&us, &out);

		check(k != NULL);
		check(kit_until(&k->answered, 1, SOON));
		check_str(kit_last(&carrier_line)->info.auth_user, "1001");
		check_int(look(&us).v[0].calls_out, 1);
		check_int(look(&us).v[0].calls_in, 1);

		/* Gone from the configuration: unregistered. */
		check_int(sip_stack_trunks(us.stack, NULL, 0), 0);
		check(kit_until(&carrier_line.unregistered, 1, SOON));
		kit_wait(20);
		kit_close(&us);
		kit_close(&carrier_line);
		check(kit_down());
	}
}

static void a_wrong_password(void)
{
	static struct kit_line board, us;
	struct sip_trunk_setup setup = {
		.name = "carrier", .host = "127.0.0.1", .user = "1001", .registers = true};

	kit_up();
	the_password = "guess";
	check_int(kit_open(&board, NULL), 0);
	check_int(kit_open(&us, with_password), 0);
	setup.port = board.port[0];
	check_int(sip_stack_trunks(us.stack, &setup, 1), 0);
	check(comes(&us, SIP_TRUNK_DOWN, SOON));

	struct seen s = look(&us);

	check_str(s.why[0], "wrong user or password");
	check(s.v[0].retry_s >= 2 && s.v[0].retry_s <= 4);
	the_password = "pw-1001";
	check(comes(&us, SIP_TRUNK_UP, 5000));
	check_int(look(&us).v[0].register_failures, 1);
	kit_close(&us);
	kit_close(&board);
	check(kit_down());
}

/* --- a carrier made by hand --- */

static void reply_to(struct scene *s, const char *method, const char *status, const char *lines)
{
	static const char *const names[] = {"Via: ", "From: ", "To: ", "Call-ID: ", "CSeq: "};
	char text[2048];
	const char *m = NULL, *q = s->wire.got;
	char start[32];
	int n;

	(void)re_snprintf(start, sizeof(start), "%s sip:", method);
	while ((q = strstr(q, start)) != NULL)
		m = q++;
	if (m == NULL)
		return;
	n = re_snprintf(text, sizeof(text), "SIP/2.0 %s\n", status);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *p = strstr(m, names[i]);

		if (p)
			n += re_snprintf(text + n, sizeof(text) - (size_t)n, "%b%s\n", p,
					 strcspn(p, "\r"),
					 strcmp(names[i], "To: ") == 0 ? ";tag=x" : "");
	}
	(void)re_snprintf(text + n, sizeof(text) - (size_t)n, "%sContent-Length: 0\n\n", lines);
	kit_wire_forget(&s->wire);
	scene_say(s, text);
}

static void trunk_to_the_wire(struct scene *s, struct sip_trunk_setup *setup)
{
	setup->port = s->wire.port;
	check_int(sip_stack_trunks(s->board.stack, setup, 1), 0);
}

static void a_carrier_in_trouble(void)
{
	struct scene *s = scene_open(with_password);
	struct sip_trunk_setup setup = {
		.name = "c", .host = "127.0.0.1", .user = "u", .registers = true, .expires_s = 100};

	the_password = "p";
	trunk_to_the_wire(s, &setup);
	check(kit_wire_gets(&s->wire, "REGISTER sip:127.0.0.1", SOON));
	check(strstr(s->wire.got, "Contact: <sip:u@127.0.0.1") != NULL);
	check(strstr(s->wire.got, "Expires: 100\r\n") != NULL);
	reply_to(s, "REGISTER", "423 Interval Too Brief", "Min-Expires: 7200\n");
	check(kit_wire_gets(&s->wire, "Expires: 7200\r\n", SOON));
	reply_to(s, "REGISTER", "503 Busy", "Retry-After: 1\n");
	check(comes(&s->board, SIP_TRUNK_DOWN, SOON));
	check_str(look(&s->board).why[0], "503 Busy");
	check(kit_wire_gets(&s->wire, "REGISTER", 2500));
	reply_to(s, "REGISTER", "200 OK",
		 "Contact: <sip:other@1.2.3.4>;expires=5, <sip:u@127.0.0.1>;expires=20\n");
	check(comes(&s->board, SIP_TRUNK_UP, SOON));
	check_int(look(&s->board).v[0].registered_s, 20);

	/* The stack leaves in order: it says so, and waits for the answer. */
	unsigned done = 0;

	sip_stack_hang_up(s->board.stack, 2000, (void (*)(void *))NULL, &done);
	check(kit_wire_gets(&s->wire, "Expires: 0\r\n", SOON));
	reply_to(s, "REGISTER", "200 OK", "");
	kit_wait(20);
	check(scene_end(s));
}

static void health_by_options(void)
{
	struct scene *s = scene_open(with_password);
	struct sip_trunk_setup setup = {
		.name = "c", .host = "127.0.0.1", .weight = 1, .options_s = 1, .prefix = "0"};

	trunk_to_the_wire(s, &setup);
	check(kit_wire_gets(&s->wire, "OPTIONS sip:127.0.0.1", SOON));
	check_int(look(&s->board).v[0].state, SIP_TRUNK_UNKNOWN);
	reply_to(s, "OPTIONS", "404 Not Found", "");
	check(comes(&s->board, SIP_TRUNK_UP, SOON));
	check(kit_wire_gets(&s->wire, "OPTIONS sip:127.0.0.1", 3000));
	reply_to(s, "OPTIONS", "503 Down", "");
	check(comes(&s->board, SIP_TRUNK_DOWN, SOON));
	check_str(look(&s->board).why[0], "OPTIONS answered 503");
	check_int(sip_trunk_choose(s->board.stack, "0123", 0), 0); /* nothing better */
	check_int(sip_trunk_choose(s->board.stack, "0123", 1), -1);
	check_int(sip_trunk_choose(s->board.stack, "123", 0), -1);
	check(scene_end(s));
}

static void a_call_sets_it_aside(void)
{
	struct scene *s = scene_open(with_password);
	struct sip_trunk_setup setup[2] = {
		{.name = "a", .host = "127.0.0.1", .weight = 1},
		{.name = "b", .host = "127.0.0.1", .priority = 1, .weight = 1, .port = 9}};
	struct sip_invite inv = {.user = "0591", .trunk = "a"};

	setup[0].port = s->wire.port;
	check_int(sip_stack_trunks(s->board.stack, setup, 2), 0);
	check_int(sip_trunk_choose(s->board.stack, "0591", 0), 0);

	struct kit_call *k = kit_dial(&s->board, &inv);

	check(kit_wire_gets(&s->wire, "INVITE sip:0591@127.0.0.1", SOON));
	reply_to(s, "INVITE", "486 Busy Here", "");
	check(kit_until(&k->closed, 1, SOON));
	check_int(sip_trunk_choose(s->board.stack, "0591", 0), 0); /* the callee's business */
	k = kit_dial(&s->board, &inv);
	check(kit_wire_gets(&s->wire, "INVITE sip:0591@127.0.0.1", SOON));
	reply_to(s, "INVITE", "503 Overloaded", "Retry-After: 1\n");
	check(kit_until(&k->closed, 1, SOON));
	check_int(k->status, 503);
	check_int(sip_trunk_choose(s->board.stack, "0591", 0), 1);
	check_int(look(&s->board).v[0].state, SIP_TRUNK_DOWN);
	kit_wait(1100);
	check_int(sip_trunk_choose(s->board.stack, "0591", 0), 0);
	check_int(sip_trunk_choose(s->board.stack, "0591", 1), 1);
	check(scene_end(s));
}

/* --- SRV --- */

/* A name server that knows one name: its records, the worse first. */
struct names {
	struct udp_sock *sock;
	struct sa at;
	uint16_t good, worse; /* ports; good 0: no such name; worse 0: it does not answer */
	char asked[64];
};

static int put_srv(struct mbuf *mb, const char *name, uint16_t pri, uint16_t port)
{
	struct dnsrr *rr = dns_rr_alloc();
	int err = ENOMEM;

	if (rr == NULL)
		return err;
	rr->type = DNS_TYPE_SRV;
	rr->dnsclass = DNS_CLASS_IN;
	rr->ttl = 60;
	rr->rdata.srv.pri = pri;
	rr->rdata.srv.weight = 1;
	rr->rdata.srv.port = port;
	err = str_dup(&rr->name, name);
	err |= str_dup(&rr->rdata.srv.target, "localhost");
	err |= dns_rr_encode(mb, rr, 0, NULL, 0);
	mem_deref(rr);
	return err;
}

static void on_question(const struct sa *src, struct mbuf *mb, void *arg)
{
	struct names *n = arg;
	struct dnshdr hdr;
	struct mbuf *out = mbuf_alloc(512);
	char *name = NULL;

	if (out != NULL && dns_hdr_decode(mb, &hdr) == 0 && dns_dname_decode(mb, &name, 0) == 0) {
		bool known = n->good != 0;

		str_ncpy(n->asked, name, sizeof(n->asked));
		hdr.qr = true;
		hdr.rcode = known ? 0 : 3;
		hdr.nans = known ? 2 : 0;
		(void)dns_hdr_encode(out, &hdr);
		(void)dns_dname_encode(out, name, NULL, 0, false);
		(void)mbuf_write_u16(out, htons(DNS_TYPE_SRV));
		(void)mbuf_write_u16(out, htons(DNS_CLASS_IN));
		if (known) {
			(void)put_srv(out, name, 20, n->worse);
			(void)put_srv(out, name, 10, n->good);
		}
		out->pos = 0;
		if (n->worse != 0)
			(void)udp_send(n->sock, src, out);
	}
	mem_deref(name);
	mem_deref(out);
}

/* Where a trunk without a port is found: the port of its best record, or the usual one. */
static void where_a_name_points(uint16_t good, uint16_t worse, uint16_t port, uint16_t found)
{
	static struct kit_line us;
	struct names n = {.good = good, .worse = worse};
	struct sip_trunk_setup setup = {.name = "carrier",
					.host = "localhost",
					.port = port,
					.srv = true,
					.weight = 1,
					.options_s = 1};

	check_int(kit_open(&us, with_password), 0);
	check_int(sa_set_str(&n.at, "127.0.0.1", 0), 0);
	check_int(udp_listen(&n.sock, &n.at, on_question, &n), 0);
	check_int(udp_local_get(n.sock, &n.at), 0);
	us.stack->dnsc = mem_deref(us.stack->dnsc);
	check_int(dnsc_alloc(&us.stack->dnsc, NULL, &n.at, 1), 0);
	check_int(sip_stack_trunks(us.stack, &setup, 1), 0);
	check(comes(&us, SIP_TRUNK_UP, 10000));
	check_str(n.asked, "_sip._udp.localhost");
	check_int(look(&us).v[0].port, found);
	check_str(look(&us).v[0].address, "127.0.0.1");
	kit_close(&us);
	mem_deref(n.sock);
}

static void srv_records_say_where_it_is(void)
{
	static struct kit_line carrier;

	kit_up();
	check_int(kit_open(&carrier, NULL), 0);
	where_a_name_points(carrier.port[0], 9, 9, carrier.port[0]);
	/* No records: the usual port. */
	where_a_name_points(0, 9, carrier.port[0], carrier.port[0]);
	/* A name server that is silent does not keep it away. */
	where_a_name_points(0, 0, carrier.port[0], carrier.port[0]);
	kit_close(&carrier);
	check(kit_down());
}

/* --- names and identities --- */

static void a_trunk_with_a_name(void)
{
	struct scene *s = scene_open(with_password);
	struct sip_trunk_setup setup = {
		.name = "named", .host = "localhost", .weight = 1, .trusted = true};

	trunk_to_the_wire(s, &setup);
	for (int i = 0; i < 500 && look(&s->board).v[0].address[0] == '\0'; i++)
		kit_wait(20);
	check(look(&s->board).v[0].address[0] != '\0');
	s->board.mood = KIT_BUSY;
	scene_invite(s, "named", 1,
		     "P-Asserted-Identity: \"X\" <sip:+8613800138000@far.test>\nPrivacy: id\n"
		     "History-Info: <sip:95598@pb.test>;index=1\n"
		     "History-Info: <sip:4001@pb.test;cause=302>;index=1.1\n"
		     "History-Info: <sip:4002@pb.test;cause=486>;index=1.2\n",
		     AUDIO PCMU_A);
	check(kit_wire_gets(&s->wire, "486 ", SOON));

	const struct sip_call_info *i = &kit_last(&s->board)->info;

	check_str(i->trunk_name, "named");
	check_str(i->asserted, "+8613800138000");
	check(i->anonymous);
	check_str(i->diverted, "4001");
	check_str(i->diverted_why, "user-busy");
	check_str(i->dialled_first, "95598");

	scene_invite(s, "diverted", 1,
		     "Diversion: <sip:4003@pb.test>;reason=no-answer;counter=1, "
		     "<sip:4000@pb.test>;reason=unconditional\nPrivacy: none\n",
		     AUDIO PCMU_A);
	check(kit_wire_gets(&s->wire, "486 ", SOON));
	i = &kit_last(&s->board)->info;
	check(!i->anonymous);
	check_str(i->diverted, "4003");
	check_str(i->diverted_why, "no-answer");
	check_str(i->dialled_first, "4000");

	/* One entry of History-Info is the call itself; a private history is nobody's business. */
	scene_invite(s, "h1", 1, "History-Info: <sip:95598@pb.test>;index=1\n", AUDIO PCMU_A);
	check(kit_wire_gets(&s->wire, "486 ", SOON));
	check_str(kit_last(&s->board)->info.diverted, "");
	scene_invite(s, "h2", 1, "Privacy: history\nDiversion: <sip:4003@pb.test>\n", AUDIO PCMU_A);
	check(kit_wire_gets(&s->wire, "486 ", SOON));
	check_str(kit_last(&s->board)->info.diverted, "");
	check(!kit_last(&s->board)->info.anonymous);

	/* The same trunk, not trusted: nobody vouches. */
	setup.trusted = false;
	trunk_to_the_wire(s, &setup);
	scene_invite(s, "untrusted", 1, "P-Asserted-Identity: <sip:110@far.test>\n", AUDIO PCMU_A);
	check(kit_wire_gets(&s->wire, "486 ", SOON));
	check_str(kit_last(&s->board)->info.asserted, "");
	check(kit_last(&s->board)->info.trunk);
	check(scene_end(s));
}

static void what_we_say_of_the_caller(void)
{
	struct scene *s = scene_open(with_password);
	struct sip_trunk_setup setup = {.name = "c", .host = "127.0.0.1", .weight = 1};
	struct sip_invite inv = {.user = "0591",
				 .trunk = "c",
				 .from_user = "1001",
				 .asserted = "13800138000",
				 .withheld = true,
				 .diverted = "95598"};

	trunk_to_the_wire(s, &setup);
	check(kit_dial(&s->board, &inv) != NULL);
	check(kit_wire_gets(&s->wire, "m=audio", SOON));
	check(strstr(s->wire.got, "From: \"Anonymous\" <sip:anonymous@anonymous.invalid>") != NULL);
	check(strstr(s->wire.got, "P-Asserted-Identity: <sip:13800138000@pb.test>\r\n") != NULL);
	check(strstr(s->wire.got, "Privacy: id\r\n") != NULL);
	check(strstr(s->wire.got, "Diversion: <sip:95598@pb.test>;reason=deflection") != NULL);
	check(strstr(s->wire.got, "History-Info: <sip:95598@pb.test>;index=1, <sip:0591@") != NULL);
	check(strstr(s->wire.got, "1001") == NULL);

	kit_wire_forget(&s->wire);
	inv = (struct sip_invite){.user = "0591", .trunk = "c", .from_user = "1001"};
	check(kit_dial(&s->board, &inv) != NULL);
	check(kit_wire_gets(&s->wire, "m=audio", SOON));
	check(strstr(s->wire.got, "From: <sip:1001@pb.test>") != NULL);
	check(strstr(s->wire.got, "P-Asserted-Identity") == NULL);
	check(strstr(s->wire.got, "Diversion") == NULL);
	inv.trunk = "none";
	check(kit_dial(&s->board, &inv) == NULL);
	check(scene_end(s));
}

static const struct check_case cases[] = {
	CHECK_CASE(the_choice),
	CHECK_CASE(the_pauses),
	CHECK_CASE(registered_with_digest),
	CHECK_CASE(a_wrong_password),
	CHECK_CASE(a_carrier_in_trouble),
	CHECK_CASE(health_by_options),
	CHECK_CASE(a_call_sets_it_aside),
	CHECK_CASE(srv_records_say_where_it_is),
	CHECK_CASE(a_trunk_with_a_name),
	CHECK_CASE(what_we_say_of_the_caller),
};
CHECK_MAIN(cases)
