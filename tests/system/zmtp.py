"""ZMTP 3.1 by hand, over a plain TCP socket, so that every byte of it can be wrong. Source: rfc.zeromq.org/spec/37."""
import socket
import struct
import threading

GREETING = b'\xff' + bytes(8) + b'\x7f' + b'\x03\x01' + b'NULL'.ljust(20, b'\0') + b'\0' + bytes(31)


def ready(socket_type, identity=b''):
    body = b'\x05READY' + b'\x0bSocket-Type' + struct.pack('>I', len(socket_type)) + socket_type
    body += b'\x08Identity' + struct.pack('>I', len(identity)) + identity
    return b'\x04' + bytes([len(body)]) + body


def frame(body, more=False):
    if len(body) < 256:
        return bytes([more]) + bytes([len(body)]) + body
    return bytes([2 + more]) + struct.pack('>Q', len(body)) + body


def message(*frames):
    return b''.join(frame(f, i + 1 < len(frames)) for i, f in enumerate(frames))


def subscribe(topic):
    body = b'\x09SUBSCRIBE' + topic
    return bytes([4 if len(body) < 256 else 6]) + (bytes([len(body)]) if len(body) < 256 else struct.pack('>Q', len(body))) + body


def address(endpoint):
    host, port = endpoint.removeprefix('tcp://').rsplit(':', 1)
    return host, int(port)


def dial(endpoint, timeout=5):
    s = socket.create_connection(address(endpoint), timeout)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s


def read_exactly(s, n):
    out = b''
    while len(out) < n:
        more = s.recv(n - len(out))
        if not more:
            raise ConnectionError('closed')
        out += more
    return out


def read_frame(s):
    flags = read_exactly(s, 1)[0]
    size = struct.unpack('>Q', read_exactly(s, 8))[0] if flags & 2 else read_exactly(s, 1)[0]
    return flags, read_exactly(s, size)


def handshake(s, socket_type, identity=b''):
    """Greeting and READY, both ways."""
    s.sendall(GREETING)
    read_exactly(s, 64)
    s.sendall(ready(socket_type, identity))
    return read_frame(s)


def reset(s):
    """Close with RST instead of FIN."""
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    s.close()


def is_closed(s, timeout):
    """Whether the other side ends the connection in that time; what it still says is thrown away."""
    s.settimeout(timeout)
    try:
        while s.recv(65536):
            pass
        return True
    except socket.timeout:
        return False
    except OSError:
        return True


class Listener:
    """A TCP server whose connections are given to `play`, one thread each, until it is closed."""

    def __init__(self, endpoint, play):
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(address(endpoint))
        self.socket.listen(64)
        self.accepted, self.play, self.open = 0, play, True
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while self.open:
            try:
                s, _ = self.socket.accept()
            except OSError:
                return
            self.accepted += 1
            threading.Thread(target=self.one, args=(s,), daemon=True).start()

    def one(self, s):
        try:
            self.play(s)
        except OSError:
            pass  # the other side has had enough
        finally:
            try:
                s.close()
            except OSError:
                pass

    def close(self):
        self.open = False
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
