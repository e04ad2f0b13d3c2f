"""The sky of the disordered streams, `burst-sim stream`: any stretch of it can be made again, whole or with its rows out of order or
spoiled, so nothing is kept but what was wanted."""
import collections
import dataclasses
import os
import struct
import subprocess

import numpy as np

from harness import ROOT, program

TOPIC = b'burst.v1.gecam-b.grd.events'
ALL = 0x1FFFFFF
BLOCK = 2880


class Sky:
    """`burst-sim stream --requests`: seconds and detectors in, a FITS event file out; b'' where the detectors are off."""

    def __init__(self, seed=1, rate=1.0, duration=86400, every=600):
        arguments = ['--seed', str(seed), '--rate', str(rate), '--duration', str(duration), '--every', str(every)]
        env = dict(os.environ, BURST_DATADIR=os.environ.get('BURST_DATADIR', str(ROOT)))
        self.process = subprocess.Popen([program('burst-sim'), 'stream', '--requests', *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env)
        self.truth = subprocess.run([program('burst-sim'), 'stream', '--truth', *arguments], capture_output=True, text=True, check=True, env=env).stdout
        self.asked = collections.deque()

    def ask(self, *what):
        """What will be wanted soon: it is made meanwhile."""
        self.asked.append(what)
        self.process.stdin.write(b'%.4f %.4f %x\n' % what)
        self.process.stdin.flush()

    def answer(self):
        self.asked.popleft()
        n = struct.unpack('>Q', self.process.stdout.read(8))[0]
        return self.process.stdout.read(n)

    def get(self, start, stop, mask=ALL):
        """Answers that were asked for before and are not this one are read and thrown away: a plan asks in its own order."""
        while self.asked and self.asked[0] != (start, stop, mask):
            self.answer()
        if not self.asked:
            self.ask(start, stop, mask)
        return self.answer()

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(20)


@dataclasses.dataclass(frozen=True)
class Piece:
    """What a message carries; `twist` says what was done to the bytes."""
    start: float
    stop: float
    mask: int = ALL
    twist: str = ''
    seed: int = 0


def tables(body):
    """Where the rows of each table lie: (offset, bytes of a row, rows)."""
    at, out = 0, []
    while at < len(body):
        size, rows, end = 0, 0, False
        while not end:
            block = body[at:at + BLOCK]
            for i in range(0, BLOCK, 80):
                card = block[i:i + 80]
                if card[:8] == b'NAXIS1  ':
                    size = int(card[10:30])
                elif card[:8] == b'NAXIS2  ':
                    rows = int(card[10:30])
                end = end or card[:8] == b'END     '
            at += BLOCK
        out.append((at, size, rows))
        at += -(-size * rows // BLOCK) * BLOCK
    return out


def step_back(body, rng):
    """Stretches of rows change places, so that time steps back inside the tables (formats.md 2)."""
    out = np.frombuffer(body, np.uint8).copy()
    for at, size, rows in tables(body):
        if size != 18 or rows < 100:
            continue
        table = out[at:at + size * rows].reshape(rows, size)
        for _ in range(3):
            a, n = rng.integers(0, rows - 40), int(rng.integers(5, 20))
            table[a:a + 2 * n] = np.concatenate([table[a + n:a + 2 * n], table[a:a + n]])
    return out.tobytes()


def spoil(body, rng):
    """A file that burstd must refuse whole: torn, another mission's, another clock's, without good time, no FITS at all."""
    way = int(rng.integers(0, 5))
    if way == 0:
        return body[:int(rng.integers(1, max(2, len(body) // BLOCK))) * BLOCK - 80]
    if way == 1:
        return body.replace(b"TELESCOP= 'GECAM-B '", b"TELESCOP= 'GECAM-Q '")
    if way == 2:
        return body.replace(b'MJDREFI =                58484', b'MJDREFI =                51910')
    if way == 3:
        return body.replace(b"EXTNAME = 'GTI     '", b"EXTNAME = 'ITG     '")
    return bytes(rng.integers(0, 256, 5000, dtype=np.uint8))


class Maker:
    """Pieces to bytes."""

    def __init__(self, sky):
        self.sky = sky

    def body(self, piece):
        body = self.sky.get(piece.start, piece.stop, piece.mask)
        rng = np.random.default_rng(piece.seed)
        if piece.twist == 'steps' and body:
            return step_back(body, rng)
        if piece.twist == 'bad' and body:
            return spoil(body, rng)
        return body
