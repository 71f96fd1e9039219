/* The shipped example, embedded: patchbayd runs on it when no configuration file is named, and
 * `patchbay` can print it as a beginning of one's own.
 *
 * The prompts that its flow uses are made at build time from example/prompts/ (espeak-ng, sox) into
 * BUILD/control/example/prompts/: zh/NAME.wav, en/NAME.wav and music/NAME.wav, 8 kHz mono.
 *
 * Thread: constants.
 */
#ifndef EXAMPLE_EXAMPLE_H
#define EXAMPLE_EXAMPLE_H

#include <stddef.h>

extern const char example_config[]; /* patchbay.yaml, NUL-terminated */
extern const size_t example_config_len;
extern const char example_flow[]; /* hotline.yaml */
extern const size_t example_flow_len;
/* The texts of the prompts, lines of "NAME: TEXT". */
extern const char example_words_zh[];
extern const size_t example_words_zh_len;
extern const char example_words_en[];
extern const size_t example_words_en_len;

#endif
