/* SPDX-License-Identifier: Apache-2.0
 *
 * The right article comes first, however it is asked for; what is changed or deleted is found as it is now; ten thousand
 * articles are no trouble.
 */
#include "store/knowledge.h"

#include <string.h>

#include "store/store_testing.h"

#define REFUND_ZH "\xe9\x80\x80\xe6\xac\xbe"           /* a refund */
#define POLICY_ZH REFUND_ZH "\xe6\x94\xbf\xe7\xad\x96" /* refund policy */
#define TYPO_ZH                                                                                    \
	"\xe9\x80\x80\xe5\xae\xbd\xe6\x94\xbf\xe7\xad\x96" /* its second character by a like sound */

static struct place place;
static struct store *store;
static struct reply answer;

static void open_place(void)
{
	place_make(&place);
	store = open_store(&place);
}

static void close_place(void)
{
	forget_reply(&answer);
	check_int(store_close(store, 1000), 0);
	place_remove(&place);
}

static void write_json(json_t *rows)
{
	json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
		json_object_set_new(row, "at_ms", json_integer(1000 + (json_int_t)i));
	forget_reply(&answer);
	answered(store, &answer, store_knowledge_write(store, rows, keep_reply, &answer));
}

static void write_rows(const char *text)
{
	write_json(quoted_json(text));
}

/* The articles found, in order. */
static const char *found(json_t *filter)
{
	static char list[400];
	const json_t *row;
	size_t i;

	json_object_set_new(filter, "limit", json_integer(5));
	json_object_set_new(filter, "at_ms", json_integer(2000));
	forget_reply(&answer);
	answered(store, &answer, store_knowledge_find(store, filter, keep_reply, &answer));
	list[0] = '\0';
	json_array_foreach(json_object_get(answer.result, "articles"), i, row)
	{
		size_t n = strlen(list);

		snprintf(list + n, sizeof(list) - n, "%s%s", n > 0 ? " " : "",
			 json_string_value(json_object_get(row, "article")));
	}
	return list;
}

static const char *search(const char *text)
{
	return found(json_pack("{s:s}", "text", text));
}

static const char five[] =
	"[{'do':'put','article':'refunds','title':'Refund policy','keywords':['money back'],"
	"'text':'Tickets.\\nA refund takes 14 days.\\nAsk for the receipt.\\n'},"
	"{'do':'put','article':'delays','title':'Delayed trains','text':'Compensation after an "
	"hour. No refund of seats.\\n'},"
	"{'do':'put','article':'luggage','title':'Lost luggage','text':'Accommodation is not paid. "
	"Ask the station.\\n'},"
	"{'do':'put','article':'policy-zh','title':'" POLICY_ZH "','text':'VIP.\\n'},"
	"{'do':'put','article':'staff','title':'Staff travel','text':'Policy for staff and the "
	"station.\\n'}]";

static void the_right_article_comes_first(void)
{
	static const struct {
		const char *asked, *first;
	} cases[] = {
		{"refund", "refunds"},
		{"REFUND?", "refunds"},
		{"refnud polcy", "refunds"},    /* misspelt */
		{"ref", "refunds"},             /* begun */
		{"fund", "refunds"},            /* inside */
		{"refunding", "refunds"},       /* another form */
		{"money back", "refunds"},      /* a keyword */
		{"acomodation", "luggage"},     /* in the text only */
		{"luggage station", "luggage"}, /* both words */
		{REFUND_ZH, "policy-zh"},
		{POLICY_ZH, "policy-zh"},
		{TYPO_ZH, "policy-zh"},
		{"vip", "policy-zh"},
	};

	open_place();
	write_rows(five);
	check_int(reply_count(&answer, "added"), 5);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *list = search(cases[i].asked);
		size_t n = strlen(cases[i].first);

		if (strncmp(list, cases[i].first, n) != 0 || (list[n] != ' ' && list[n] != '\0'))
			check_str(list, cases[i].first);
	}
	check_str(search("zebra"), "");
	check_str(search("?! \" ' * OR ("), ""); /* nothing of a text is the index's language */
	check_str(search("\" OR \"refund"), "refunds delays");
	close_place();
}

static void an_excerpt_is_the_line_that_is_meant(void)
{
	open_place();
	write_rows(five);
	(void)search("refund days");
	check_str(
		json_string_value(json_object_get(
			json_array_get(json_object_get(answer.result, "articles"), 0), "excerpt")),
		"A refund takes 14 days.");
	check(json_object_get(json_array_get(json_object_get(answer.result, "articles"), 0),
			      "text") == NULL);
	close_place();
}

static void synonyms_are_found(void)
{
	open_place();
	write_rows(five);
	check_str(search("baggage"), "");
	check_str(found(json_pack("{s:s,s:[[s,s]]}", "text", "my baggage", "synonyms", "baggage",
				  "luggage")),
		  "luggage");
	check_str(found(json_pack("{s:s,s:[[s,s]]}", "text", "reimbursement", "synonyms",
				  "money back", "reimbursement")),
		  "refunds");
	/* Of two words only one is there: not it. */
	check_str(found(json_pack("{s:s,s:[[s,s]]}", "text", "zebra", "synonyms", "zebra crossing",
				  "luggage")),
		  "");
	close_place();
}

static void what_changes_is_found_as_it_is(void)
{
	open_place();
	write_rows(five);
	write_rows("[{'do':'put','article':'luggage','title':'Left behind'},"
		   "{'do':'put','article':'untitled','text':'x'},"
		   "{'do':'delete','article':'delays'},{'do':'delete','article':'nothing'}]");
	check_int(reply_count(&answer, "updated"), 1);
	check_int(reply_count(&answer, "deleted"), 1);
	check_int(reply_count(&answer, "refused"), 2);
	check_str(search("luggage"), "");
	check_str(search("left behind accommodation"), "luggage");
	check_str(search("delayed"), "");
	check_str(found(json_pack("{s:s}", "article", "luggage")), "luggage");
	check(strstr(json_string_value(json_object_get(
			     json_array_get(json_object_get(answer.result, "articles"), 0),
			     "text")),
		     "Accommodation") != NULL);
	check_str(found(json_pack("{s:s}", "article", "delays")), "");
	check_str(found(json_object()), "staff policy-zh luggage refunds");
	close_place();
}

static void searches_are_noted(void)
{
	const json_t *first;

	open_place();
	write_rows(five);
	(void)found(json_pack("{s:s,s:s}", "text", "refund", "who", "1001"));
	(void)search("zebra");
	settle(store);
	forget_reply(&answer);
	answered(store, &answer,
		 store_knowledge_searches(store, json_pack("{s:i}", "limit", 10), keep_reply,
					  &answer));
	check_int(json_array_size(json_object_get(answer.result, "searches")), 2);
	first = json_array_get(json_object_get(answer.result, "searches"), 1);
	check_str(json_string_value(json_object_get(first, "who")), "1001");
	check_str(json_string_value(json_object_get(first, "first")), "refunds");
	check_int(json_integer_value(json_object_get(first, "found")), 2);
	forget_reply(&answer);
	answered(store, &answer,
		 store_knowledge_searches(store,
					  json_pack("{s:i,s:b}", "limit", 10, "in_vain", true),
					  keep_reply, &answer));
	check_int(json_array_size(json_object_get(answer.result, "searches")), 1);
	check_str(json_string_value(json_object_get(
			  json_array_get(json_object_get(answer.result, "searches"), 0), "text")),
		  "zebra");
	close_place();
}

/* Words made of syllables, so that many are alike. */
static void made_word(uint32_t *seed, char *word, size_t size)
{
	static const char *const syllable[] = {"ta", "ri",  "mo", "len", "ka",  "sto", "ber", "in",
					       "fu", "gra", "do", "ves", "pol", "chi", "an",  "ex"};
	unsigned n = 2 + (*seed >> 28) % 3;

	word[0] = '\0';
	while (n-- > 0) {
		*seed = *seed * 1664525u + 1013904223u;
		strncat(word, syllable[*seed >> 28], size - strlen(word) - 1);
	}
}

static void ten_thousand_articles(void)
{
	uint32_t seed = 11;
	char word[32], id[16], text[2000];

	open_place();
	for (int batch = 0; batch < 50; batch++) {
		json_t *rows = json_array();

		for (int i = 0; i < 200; i++) {
			size_t len = 0;

			for (int w = 0; w < 100; w++) {
				made_word(&seed, word, sizeof(word));
				len += (size_t)snprintf(text + len, sizeof(text) - len, "%s ",
							word);
			}
			made_word(&seed, word, sizeof(word));
			snprintf(id, sizeof(id), "a%d", batch * 200 + i);
			json_array_append_new(rows,
					      json_pack("{s:s,s:s,s:s,s:s}", "do", "put", "article",
							id, "title", word, "text", text));
		}
		write_json(rows);
		check_int(reply_count(&answer, "added"), 200);
	}
	write_rows("[{'do':'put','article':'wanted','title':'Telephone exchange "
		   "upgrade','text':'How it is done.'}]");
	check(strncmp(search("telefone exchnge"), "wanted", 6) == 0);
	check(strncmp(search("upgrad telep"), "wanted", 6) == 0);
	check(strncmp(search("tarimo polchi exchange grading"), "wanted", 6) == 0);
	close_place();
}

static const struct check_case cases[] = {
	CHECK_CASE(the_right_article_comes_first),
	CHECK_CASE(an_excerpt_is_the_line_that_is_meant),
	CHECK_CASE(synonyms_are_found),
	CHECK_CASE(what_changes_is_found_as_it_is),
	CHECK_CASE(searches_are_noted),
	CHECK_CASE(ten_thousand_articles),
};

CHECK_MAIN(cases)
