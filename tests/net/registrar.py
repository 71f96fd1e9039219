"""Register many phones at once with digest (RFC 2617), each with a contact of the caller's choice."""
import hashlib
import re
import time

from lab import SERVER, Failure


def md5(text):
    return hashlib.md5(text.encode()).hexdigest()


def register_all(lab, ip, port, accounts, expires_s=3600):
    """`accounts`: (user, password) pairs, contact sip:USER@ip:port. Failure unless all are accepted."""
    import ctypes
    import socket
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/self/ns/net") as home, open(f"/var/run/netns/{lab.client_ns}") as there:
        libc.setns(there.fileno(), 0x40000000)
        try:
            out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            out.bind((ip, 5059))
        finally:
            libc.setns(home.fileno(), 0x40000000)
    out.settimeout(2)
    for user, password in accounts:
        authorization, answer = "", ""
        for cseq in (1, 2):
            out.sendto((f"REGISTER sip:{SERVER} SIP/2.0\r\nVia: SIP/2.0/UDP {ip}:5059;branch=z9hG4bK{user}{cseq};rport\r\n"
                        f"From: <sip:{user}@{SERVER}>;tag={user}\r\nTo: <sip:{user}@{SERVER}>\r\nCall-ID: reg-{user}\r\nCSeq: {cseq} REGISTER\r\n"
                        f"Contact: <sip:{user}@{ip}:{port}>\r\nExpires: {expires_s}\r\nMax-Forwards: 70\r\n{authorization}Content-Length: 0\r\n\r\n").encode(),
                       (SERVER, 5060))
            answer = out.recv(65536).decode()
            if " 200 " in answer.splitlines()[0]:
                break
            found = re.search(r'WWW-Authenticate: *Digest (.*)', answer, re.I)
            if not found:
                raise Failure(f"REGISTER of {user}: {answer.splitlines()[0]}")
            field = dict(re.findall(r'(\w+)="?([^",]+)"?', found.group(1)))
            ha1 = md5(f"{user}:{field['realm']}:{password}")
            ha2 = md5(f"REGISTER:sip:{SERVER}")
            if "qop" in field:
                response = md5(f"{ha1}:{field['nonce']}:00000001:abcd:auth:{ha2}")
                extra = ', qop=auth, nc=00000001, cnonce="abcd"'
            else:
                response, extra = md5(f"{ha1}:{field['nonce']}:{ha2}"), ""
            opaque = f', opaque="{field["opaque"]}"' if "opaque" in field else ""
            authorization = (f'Authorization: Digest username="{user}", realm="{field["realm"]}", nonce="{field["nonce"]}", uri="sip:{SERVER}", '
                             f'response="{response}", algorithm=MD5{extra}{opaque}\r\n')
        if " 200 " not in answer.splitlines()[0]:
            raise Failure(f"REGISTER of {user}: {answer.splitlines()[0]}")
    out.close()
