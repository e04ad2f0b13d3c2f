"""A mission's stream with everything that goes wrong with streams, seeded and recorded: the player of tests/system/test_disorder.py
and of tests/system/day.py. What it plays are the steps of disorder_plan.py, from the sky of disorder_sky.py; nothing is kept but the plan."""
import collections
import json
import os
import time
import uuid

from disorder_sky import TOPIC, Maker, Piece
from harness import HEADER, Daemon, check, core, free_ports

START = 1767225600  # 2026-01-01T00:00:00 UTC, the first second of `burst-sim stream`


def utc(seconds):
    t = START + seconds
    return time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(int(t))) + f'.{int(round((t % 1) * 1e6)):06d}Z'


def seconds(text):
    import calendar
    return calendar.timegm(time.strptime(text[:19], '%Y-%m-%dT%H:%M:%S')) + float('0' + text[19:-1]) - START


class Gateway:
    """Protocol.md 1 and 2 from a plan: bodies are made when they are sent and made again when history is asked for."""

    def __init__(self, live, history, maker):
        import zmq
        self.zmq, self.ends, self.maker = zmq, (live, history), maker
        self.begin()

    def begin(self):
        context = self.zmq.Context.instance()
        self.pub, self.router = context.socket(self.zmq.PUB), context.socket(self.zmq.ROUTER)
        self.pub.sndhwm = self.router.sndhwm = 0
        for s, end in zip((self.pub, self.router), self.ends):
            self.bind(s, end)
        self.stream, self.log, self.data_time, self.beaten = uuid.uuid4().bytes, [], None, 0.0
        self.n_replayed, self.lost = 0, set()  # lost: numbers that nobody has had from us yet
        self.read_to_end = False  # history, since burstd was started

    def bind(self, s, end):
        """A socket that was closed a moment ago may still hold its port."""
        for attempt in range(100):
            try:
                return s.bind(end)
            except self.zmq.ZMQError:
                time.sleep(0.05)
        s.bind(end)

    def restart(self, keep_s):
        """Another log: it knows what the last one held of its last keep_s seconds, and nothing of who has read it."""
        newest = max((p.stop for p, _ in self.log), default=0.0)
        kept = [p for p, _ in self.log if p.stop >= newest - keep_s]
        self.close()
        self.begin()
        for piece in kept:
            self.number(piece)

    def number(self, piece):
        self.log.append((piece, time.time_ns()))

    def frames(self, seq):
        piece, sent_ns = self.log[seq - 1]
        if piece.twist == 'seal':
            return [TOPIC, HEADER.pack(b'BRST', 1, 0, 1, self.stream, seq, sent_ns), b'x', b'no seal']
        return [TOPIC, HEADER.pack(b'BRST', 1, 0, 1, self.stream, seq, sent_ns), self.maker.body(piece)]

    def send(self, piece, live=True):
        self.number(piece)
        if live:
            self.pub.send_multipart(self.frames(len(self.log)), copy=False)
        else:
            self.lost.add(len(self.log))

    def send_raw(self, frames):
        self.pub.send_multipart(frames)

    def serve(self, timeout_ms=0):
        self.beat()
        while self.router.poll(timeout_ms):
            timeout_ms = 0
            who, verb, *rest = self.router.recv_multipart()
            if verb == b'HELLO':
                self.router.send_multipart([who, b'OK', self.stream])
            elif verb == b'ACK':
                self.router.send_multipart([who, b'OK'])
            elif verb == b'REPLAY':
                self.replay(who, *rest)
            else:
                if self.log and TOPIC.startswith(rest[0]):
                    self.router.send_multipart([who, b'ITEM', *self.frames(len(self.log))])
                self.router.send_multipart([who, b'END', rest[0], bytes(8)])

    def replay(self, who, topic, stream, start, most):
        start, most = max(1, int.from_bytes(start, 'big')), int.from_bytes(most, 'big')
        if topic != TOPIC or stream not in (bytes(16), self.stream):
            self.router.send_multipart([who, b'GONE', topic, (1).to_bytes(8, 'big')])
            return
        stop = min(len(self.log) + 1, start + most)
        for seq in range(start, stop):
            self.router.send_multipart([who, b'ITEM', *self.frames(seq)], copy=False)
            self.n_replayed += 1
            self.lost.discard(seq)
        self.router.send_multipart([who, b'END', topic, max(start, stop).to_bytes(8, 'big')])
        self.read_to_end |= stop > len(self.log)

    def beat(self):
        if time.time() < self.beaten + 1:
            return
        self.beaten = time.time()
        body = {'stream': str(uuid.UUID(bytes=self.stream)), 'alert_datetime': '2026-01-01T00:00:00.000000Z', 'last': {TOPIC.decode(): len(self.log)}}
        if self.data_time:
            body['data_time'] = {TOPIC.decode(): utc(self.data_time)}
        self.pub.send_multipart([b'burst.v1.heartbeat', HEADER.pack(b'BRST', 1, 0, 2, self.stream, 0, time.time_ns()), json.dumps(body).encode()])

    def close(self):
        self.pub.close(0)
        self.router.close(0)


class Player:
    """Does the steps of a plan against a burstd; never more than ahead_s of data further than burstd says it has taken."""

    def __init__(self, daemon, gateways, sky, ahead_s, log=None, progress=None):
        self.daemon, self.gateways, self.sky, self.ahead, self.progress = daemon, gateways, sky, ahead_s, progress
        self.log, self.sent_to, self.asked, self.n_bytes, self.counters = log, None, 0.0, 0, collections.Counter()
        self.taken, self.off = None, []
        for line in sky.truth.splitlines():
            if line.startswith('outage,'):
                self.off.append(tuple(float(x) for x in line.split(',')[1:3]))

    def say(self, step):
        if self.log:
            p = step.piece
            self.log.write(f'{step.due:.4f} {step.what} {step.why or "plain"} gateway={step.gateway}'
                           + (f' {p.start:.4f} {p.stop:.4f} {p.mask:x} {p.twist}' if p else '') + '\n')

    def serve(self, timeout_ms=0):
        for g in self.gateways:
            g.serve(timeout_ms)

    def status(self):
        status = self.daemon.status()
        if status is None:
            return None
        said = status['inputs'].get(TOPIC.decode(), {}).get('data_time')
        self.taken = seconds(said) if said else None
        return status

    def wait_taken(self, behind_s, limit_s=600):
        """Until burstd has taken all but the last behind_s seconds of what was sent."""
        until = time.time() + limit_s
        while self.sent_to is not None and not (self.taken is not None and self.taken >= self.sent_to - behind_s):
            self.serve(5)
            self.status()
            check(time.time() < until, f'burstd does not take what is sent: {self.taken} of {self.sent_to}')

    def read_again(self, limit_s=30):
        """After a start, until all histories have been read: the plan is played fifty times as fast as a sky, and a second in which one
        gateway has not been asked yet must not become a minute of data that it is behind the other."""
        for g in self.gateways:
            g.read_to_end = not g.log
        until = time.time() + limit_s
        while not all(g.read_to_end for g in self.gateways):
            self.serve(5)
            check(time.time() < until, 'burstd does not read history after a start')

    def stop_of(self, piece):
        """End of good time of a piece; None when the detectors are off all the time."""
        stop = piece.stop
        for a, b in self.off:
            if a < stop <= b:
                stop = a
        return stop if stop > piece.start else None

    def send(self, step):
        stop = self.stop_of(step.piece)
        if stop is None:
            return
        gateway = self.gateways[step.gateway]
        gateway.send(step.piece, step.what != 'lose')
        if step.what == 'send' and step.why not in ('badfile', 'empty'):
            self.sent_to = stop if self.sent_to is None else max(self.sent_to, stop)
        if step.gateway == 0 and step.why == '':
            self.wait_taken(self.ahead)

    def badframe(self):
        """Frames that break the rules of protocol.md 1, one rule each. The last has a number of its own, and history gives it as it was
        sent."""
        g = self.gateways[0]
        good = HEADER.pack(b'BRST', 1, 0, 1, g.stream, 1, time.time_ns())
        for frames in ([TOPIC], [TOPIC, b'short', b'x'], [TOPIC, b'JUNK' + good[4:], b'x'], [TOPIC, good[:4] + b'\x09' + good[5:], b'x'],
                       [TOPIC, good, b'x', b'seal', b'and more'], [b'burst.v1.nobody.knows.events', good, b'x']):
            g.send_raw(frames)
        g.send(Piece(0, 0, 0, 'seal'))

    def caught_up(self, limit_s=600):
        """All numbers that were given out have been read, and all windows that come of them judged."""
        until, last, since = time.time() + limit_s, None, time.time()
        while time.time() < until:
            self.serve(20)
            status = self.status()
            if not status:
                continue
            c = status['counters']
            now = (c['messages'], c['duplicates'], c['windows'], c['verdicts'], sum(g.n_replayed for g in self.gateways))
            busy = (any(g.lost for g in self.gateways) or status['queues']['work'] or status['queues']['publish']
                    or self.taken is None or self.taken < self.sent_to)
            if busy or now != last:
                last, since = now, time.time()
            elif time.time() > since + 2.5:  # longer than history is asked again in
                return
        raise AssertionError(f'burstd does not catch up: {last}')

    def remember(self):
        """Counters of a daemon that is about to end."""
        status = self.status()
        for k, v in (status['counters'] if status else {}).items():
            self.counters[k] += v

    def run(self, plan):
        steps = plan.steps
        horizon = 0
        for i, step in enumerate(steps):
            while horizon < min(i + 6, len(steps)):
                p = steps[horizon].piece
                if p and self.stop_of(p) is not None and steps[horizon].what == 'send':
                    self.sky.ask(p.start, p.stop, p.mask)
                horizon += 1
            self.say(step)
            if step.what in ('send', 'lose'):
                self.send(step)
            elif step.what == 'badframe':
                self.badframe()
            elif step.what == 'pause':
                until = time.time() + 2
                while time.time() < until:
                    self.serve(50)
            elif step.what == 'kill':
                self.remember()
                self.daemon.kill()
                self.daemon.start()
                self.read_again()
            elif step.what == 'restart':
                self.caught_up()
                self.gateways[0].restart(400)
            if i % 16 == 0:
                self.serve()
            if self.progress and i % 50 == 0:
                self.progress(step.due, self)
        self.caught_up()
        self.remember()


def read_trace(path):
    """(k_end, detector) -> (valid bins, incomplete, digest); a line that comes twice must say the same. Lines that a kill has torn are left out."""
    out = {}
    for line in open(path):
        if line.count(',') != 5 or len(line) - line.rindex(',') != 66:
            continue
        _, k, d, n, incomplete, digest = line.rstrip('\n').split(',')
        key, value = (int(k), int(d)), (int(n), int(incomplete), digest)
        check(out.setdefault(key, value) == value, f'window {key} was {out[key]} and, after a restart, {value}')
    return out


def compare_traces(tidy, disordered):
    """What differs, as a sentence; '' when nothing does."""
    keys = set(tidy) ^ set(disordered)
    wrong = sorted(k for k in set(tidy) & set(disordered) if tidy[k] != disordered[k])
    if not keys and not wrong:
        return ''
    some = [(k, tidy.get(k), disordered.get(k)) for k in (wrong + sorted(keys))[:3]]
    return f'{len(wrong)} of {len(tidy)} detector windows differ, {len(keys)} are in one run alone: {some}'


MODEL = 'tests/golden/day/small-curve/1'  # some hundred times cheaper than the shipped one


def session(folder, started, sky, plan, lateness_s, model=MODEL, ahead_s=None, log=None, progress=None, config='', make=None):
    """Play a plan to a burstd of its own. Returns (trace, verdicts by (id, record number), counters, seconds)."""
    import zmq  # noqa: F401  burstd's side of the test needs it too
    os.makedirs(folder, exist_ok=True)
    second = any(s.gateway == 1 for s in plan.steps)
    trace = os.path.abspath(f'{folder}/trace.csv')
    # Silence is for the player to decide: a loaded machine must not close bins early.
    daemon = Daemon(os.path.abspath(folder), config)
    text = daemon.config.read_text().replace('models: {backend: auto}', f'models: {{backend: auto, light_curve: "{model}", image: ""}}')
    text += f'lightcurve: {{lateness_s: {lateness_s}, silence_s: 600, history_patience_s: 60, trace: "{trace}"}}\nlimits: {{packet_arena_mib: 256}}\n'
    ends = [(daemon.gateway_live, daemon.gateway_history)]
    if second:
        ends.append(tuple(f'tcp://127.0.0.1:{p}' for p in free_ports(2)))
        line = text.splitlines()[1]
        more = line.replace('name: test', 'name: other').replace(ends[0][0], ends[1][0]).replace(ends[0][1], ends[1][1])
        text = text.replace(line, f'{line}\n{more}')
    daemon.config.write_text(text)
    started.append(daemon)
    gateways = [(make or Gateway)(*e, Maker(sky)) for e in ends]
    begun = time.time()
    try:
        daemon.start()
        player = Player(daemon, gateways, sky, ahead_s or max(20.0, 4 * plan.chunk), log, progress)
        player.run(plan)
        verdicts = {(v['id'], v['record_number']): v for v in daemon.verdicts()}
    finally:
        for g in gateways:
            g.close()
    code = daemon.stop()
    check(code == 0, f'burstd ended with {code}')
    return read_trace(trace), verdicts, player.counters, time.time() - begun


def compare_verdicts(tidy, disordered):
    """What differs in `core`, as a sentence; '' when nothing does."""
    if set(tidy) != set(disordered):
        return f'revisions of one run alone: {sorted(set(tidy) ^ set(disordered))[:6]}'
    a, b = ({k: core(v) for k, v in run.items()} for run in (tidy, disordered))
    wrong = [k for k in sorted(a) if a[k] != b[k]]
    if not wrong:
        return ''
    x, y = a[wrong[0]], b[wrong[0]]
    return f'{len(wrong)} of {len(a)} revisions differ: {wrong[0]} in ' + ', '.join(f'{k}: {x.get(k)} / {y.get(k)}'[:300] for k in set(x) | set(y) if x.get(k) != y.get(k))
