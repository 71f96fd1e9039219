/* Words that stand for each other when the knowledge base is searched (knowledge/query.h).
 *
 *	knowledge: {synonyms: [[refund, money back, reimbursement], [luggage, baggage]]}
 *
 * Thread: immutable after loading.
 */
#ifndef CONF_CONFIG_KNOWLEDGE_H
#define CONF_CONFIG_KNOWLEDGE_H

#include <stdint.h>

enum { CONFIG_SYNONYMS_MAX = 500, CONFIG_SYNONYM_WORDS_MAX = 16 };

struct config_synonyms {
	uint32_t n;
	const char **word; /* each may be several words */
};

struct config_knowledge {
	uint32_t n_synonyms;
	struct config_synonyms *synonyms;
};

#endif
