/* The compiled BPF programs (gen_wire.bpf.c), embedded when the program is built. */
#ifndef GEN_OBJECT_H
#define GEN_OBJECT_H

#include <stddef.h>

extern const char gen_wire_object[];
extern const size_t gen_wire_object_len;

#endif
