"""What goes wrong with a stream, and when: steps drawn from a seed, for the player of disorder.py."""
import collections
import dataclasses
import random

import numpy as np

from disorder_sky import Piece
from harness import check

CELL = 0.0625
KINDS = ('late', 'reorder', 'double', 'overlap', 'recut', 'split', 'missing', 'lost', 'steps', 'empty', 'badfile', 'badframe', 'pause', 'kill',
         'restart', 'second')


@dataclasses.dataclass
class Step:
    """One thing the player does. `due`: seconds of the scene, steps are done in this order."""
    due: float
    what: str
    piece: Piece = None
    why: str = ''
    gateway: int = 0


def cells(x):
    return round(x / CELL) * CELL


class Plan:
    """Steps for [start, stop) in chunks of chunk_s. Whatever comes late comes early enough for lateness_s: a message that is due d
    seconds after its own start meets data at most two chunks ahead of d."""

    def __init__(self, start, stop, chunk_s, lateness_s, kinds=(), seed=1, share=0.5):
        check(lateness_s > 4 * chunk_s + 1, f'a lateness of {lateness_s} s for chunks of {chunk_s} s')
        self.rng, self.chunk, self.most = random.Random(seed), chunk_s, lateness_s - 2 * chunk_s - 1
        self.kinds, self.steps, self.start, self.stop = set(kinds), [], start, stop
        per_chunk = [k for k in KINDS if k in self.kinds and k not in ('pause', 'kill', 'restart', 'second')]
        n = round((stop - start) / chunk_s)
        i = 0
        while i < n:
            a, b = start + i * chunk_s, start + (i + 1) * chunk_s
            kind = self.rng.choice(per_chunk) if per_chunk and i > 3 and self.rng.random() < share else ''
            if kind == 'recut' and i + 1 < n:
                self.recut(a, b + chunk_s)
                i += 2
                continue
            getattr(self, {'': 'plain', 'recut': 'plain', 'steps': 'steps_back'}.get(kind, kind))(a, b)
            i += 1
        self.events(start, stop)
        self.steps.sort(key=lambda s: s.due)
        if 'second' in self.kinds:
            self.second()

    def add(self, due, piece, why='', what='send'):
        self.steps.append(Step(due, what, piece, why))

    def later(self):
        return self.rng.uniform(self.chunk, self.most)

    def inside(self):
        """A place inside a chunk, on the grid of cuts."""
        return max(CELL, cells(self.rng.uniform(0, self.chunk - CELL)))

    def plain(self, a, b):
        self.add(a, Piece(a, b))

    def late(self, a, b):
        self.add(a + self.later(), Piece(a, b), 'late')

    def reorder(self, a, b):
        self.add(a + 1.5 * self.chunk, Piece(a, b), 'reorder')

    def double(self, a, b):
        self.plain(a, b)
        self.add(a + self.rng.uniform(0, 4 * self.most), Piece(a, b), 'double')

    def overlap(self, a, b):
        """These data come only in a message that also holds a part of what comes before and after it."""
        first, last = max(self.start, a - self.inside()), min(self.stop, b + self.inside())
        self.add(a + self.rng.uniform(0, self.most), Piece(first, last), 'overlap')

    def recut(self, a, b):
        u = a + self.inside()
        v = min(u + self.inside() + CELL, b - CELL)
        for p, q in ((a, u), (u, v), (v, b)):
            self.add(p, Piece(p, q), 'recut')

    def masks(self, n):
        share = [self.rng.randrange(n) for _ in range(25)]
        return [m for m in (sum(1 << d for d in range(25) if share[d] == i) for i in range(n)) if m]

    def split(self, a, b):
        for k, mask in enumerate(self.masks(self.rng.randint(2, 4))):
            self.add(a + 0.01 * k, Piece(a, b, mask), 'split')

    def missing(self, a, b):
        for k, mask in enumerate(self.masks(2)):
            self.add(a + (self.later() if k else 0), Piece(a, b, mask), 'missing')

    def lost(self, a, b):
        self.add(a, Piece(a, b), 'lost', 'lose')

    def steps_back(self, a, b):
        self.add(a, Piece(a, b, twist='steps', seed=self.rng.randrange(1 << 31)), 'steps')

    def empty(self, a, b):
        self.plain(a, b)
        self.add(a + self.rng.uniform(-1, 1), Piece(a, b, 0), 'empty')

    def badfile(self, a, b):
        self.plain(a, b)
        self.add(a, Piece(a, b, 1 << self.rng.randrange(25), 'bad', self.rng.randrange(1 << 31)), 'badfile')

    def badframe(self, a, b):
        self.plain(a, b)
        self.steps.append(Step(a, 'badframe', why='badframe'))

    def events(self, start, stop):
        """What happens to programs: a few times, spread over the plan, and once more every two hours."""
        span = stop - start
        for kind, n in (('pause', 2), ('kill', 3), ('restart', 2)):
            if kind in self.kinds:
                n += int(span // 7200)
                for i in range(n):
                    due = start + span * (i + self.rng.uniform(0.3, 0.9)) / n
                    self.steps.append(Step(due, kind, why=kind))

    def second(self):
        """Everything again through another gateway, which alone would be enough: some seconds behind, where overlaps are on in
        other pieces."""
        again, shift = [], self.inside()
        if 'overlap' in self.kinds:
            edges = [self.start] + [x for x in np.arange(self.start + shift, self.stop, self.chunk)] + [self.stop]
            for a, b in zip(edges, edges[1:]):
                again.append(Step(a + self.chunk + self.rng.uniform(0, self.most - self.chunk), 'send', Piece(float(a), float(b)), 'second', 1))
        else:
            for s in self.steps:
                if s.what in ('send', 'lose') and s.why not in ('double', 'badfile', 'empty'):
                    due = max(s.due, self.rng.uniform(s.due, s.piece.start + self.most))
                    again.append(Step(due, 'send', s.piece, 'second', 1))
        self.steps = sorted(self.steps + again, key=lambda s: s.due)

    def count(self):
        return dict(collections.Counter(s.why or 'plain' for s in self.steps))
