# Turn a file into a C array: embed.py FILE OUT.c SYMBOL
import sys

data = open(sys.argv[1], 'rb').read()
name = sys.argv[3]
with open(sys.argv[2], 'w') as out:
    out.write('#include "port/port_xdp_object.h"\n\n')
    out.write(f'const unsigned char {name}[] = {{\n')
    for at in range(0, len(data), 16):
        out.write('\t' + ' '.join(f'0x{b:02x},' for b in data[at:at + 16]) + '\n')
    out.write(f'}};\nconst size_t {name}_size = sizeof({name});\n')
