#!/usr/bin/python3
"""What burstd refuses lies in quarantine: the exact bytes, bounded, readable by burstctl, there after a kill, and refused
for the same reason when it is sent again."""
import hashlib
import json
import pathlib
import subprocess
import sys
import time

import numpy as np

from harness import HEADER, ROOT, Cases, Session, check, classify, program

sys.path.insert(0, str(ROOT / 'tests/bad'))
import fits_bytes  # noqa: E402

EVENTS, IMAGES = b'burst-archive.v1.fermi.gbm.events', b'burst-archive.v1.svom.eclairs.subimage'


def image(number, pixel=0.0):
    """A good sub-image of its own."""
    f = fits_bytes.subimage(np.random.default_rng(number), burst_id=f'sb26{number:06d}')
    data = np.frombuffer(f[''].data, '>f4').copy()
    data[0] = pixel
    f[''].data = data.tobytes()
    return f.bytes()


class Quarantine(Session):
    def __init__(self, folder, started, extra=''):
        self.ring = pathlib.Path(folder) / 'quarantine'
        super().__init__(folder, started, extra)

    def refuse(self, topic, body, kind):
        """Send it and wait until it is refused and kept."""
        before = self.daemon.status()['counters']
        self.gateway.send(topic, body)
        check(self.wait(lambda c: c.get(kind, 0) > before.get(kind, 0) and c['quarantined'] > before['quarantined']),
              f'{kind} is not counted and kept: {self.daemon.status()["counters"]}')

    def quarantine(self, *words, status=0):
        done = subprocess.run([program('burstctl'), 'quarantine', *map(str, words), '--config', str(self.daemon.config)], capture_output=True)
        check(done.returncode == status, f'burstctl quarantine {words}: {done.returncode} {done.stderr.decode()}')
        return done.stdout

    def listed(self):
        return [json.loads(x) for x in self.quarantine('list', '--json').splitlines()]

    def size(self):
        return sum(p.stat().st_size for p in self.ring.iterdir())


def a_refused_input_lies_there_byte_for_byte_and_is_refused_again(folder, started):
    s = Quarantine(folder, started)
    cut, huge = fits_bytes.gbm(np.random.default_rng(1)).bytes()[:-5000], image(1, 1e9)
    s.refuse(EVENTS, cut, 'bad_events.truncated')
    s.refuse(IMAGES, huge, 'bad_subimage.range')
    first, second = s.listed()
    check((first['kind'], first['code'], first['topic'], first['seq'], first['gateway']) ==
          ('bad_events', 'truncated', EVENTS.decode(), 1, 'test'), f'{first}')
    check((second['kind'], second['code'], second['topic']) == ('bad_subimage', 'range', IMAGES.decode()), f'{second}')
    for one, body in ((first, cut), (second, huge)):
        check(one['sha256'] == hashlib.sha256(body).hexdigest() and one['bytes'] == len(body), f'{one}')
        check((s.ring / f'{one["number"]:012d}.bin').read_bytes() == body, 'other bytes on the disk')
        check(s.quarantine('export', one['number'], '-') == body, 'other bytes from export')
        check(oct((s.ring / f'{one["number"]:012d}.bin').stat().st_mode)[-3:] == '600', 'others may read it')
    shown = s.quarantine('show', first['number']).decode()
    check(first['text'] in shown and 'truncated' in shown and first['stream'] in shown, shown)
    s.quarantine('export', first['number'], f'{folder}/again.fits')
    check(pathlib.Path(folder, 'again.fits').read_bytes() == cut, 'export wrote other bytes')
    # Under another realm the same bytes are no repeat: refused for the same reason, kept once.
    s.gateway.send(b'burst-test.v1.fermi.gbm.events', pathlib.Path(folder, 'again.fits').read_bytes(), flags=1)
    check(s.wait(lambda c: c['bad_events.truncated'] == 2), f'{s.daemon.status()["counters"]}')
    told = [x.split('what=')[1] for x in s.daemon.log.read_text().splitlines() if 'kind=bad_events error=truncated' in x]
    check(len(told) == 2 and told[0] == told[1] and first['text'] in told[0], f'{told}')
    check(len(s.listed()) == 2, f'{s.listed()}')
    status, _, why = classify(f'{folder}/again.fits')
    check(status == 1 and first['text'] in why, f'burst-classify: {status} {why}')
    s.quarantine('show', 99, status=1)
    s.quarantine('eat', status=2)


def a_refused_frame_lies_there_with_its_sizes(folder, started):
    s = Quarantine(folder, started)
    header = HEADER.pack(b'FITS', 1, 4, 1, s.gateway.stream, 1, time.time_ns())
    frames = [IMAGES, header, b'body\0\x01']
    s.gateway.pub.send_multipart(frames)
    check(s.wait(lambda c: c['quarantined'] == 1), f'{s.daemon.status()["counters"]}')
    one, = s.listed()
    check(one['kind'] == 'bad_frame' and one['code'] == 'format' and one['frames'] == [len(f) for f in frames], f'{one}')
    check(s.quarantine('export', one['number'], '-') == b''.join(frames), 'other bytes')


def every_kind_of_input_that_is_refused_lies_there(folder, started):
    s = Quarantine(folder, started)
    want = []
    for topic, body, content, kind in [(EVENTS, b'SIMPLE events', 1, 'bad_events'), (IMAGES, b'SIMPLE image', 1, 'bad_subimage'),
                                       (b'burst-archive.v1.fermi.trigger', b'{"no": "notice"}', 2, 'bad_trigger'),
                                       (b'burst-archive.v1.svom.trigger', b'<VOEvent', 3, 'bad_trigger'),
                                       (b'burst-archive.v1.gecam-b.platform', b'{"time": "never"}', 2, 'bad_platform'),
                                       (b'burst-archive.v1.nobody.reads.events', b'SIMPLE stray', 1, 'bad_frame'), (EVENTS, b'{"json": 1}', 2, 'bad_frame')]:
        s.gateway.send(topic, body, content=content)
        want.append((kind, topic.decode(), hashlib.sha256(body).hexdigest()))
    check(s.wait(lambda c: c['quarantined'] == len(want)), f'{s.daemon.status()["counters"]}')
    got = [(x['kind'], x['topic'], x['sha256']) for x in s.listed()]
    check(sorted(got) == sorted(want), f'{sorted(set(got) ^ set(want))}')
    check(all(x['text'] for x in s.listed()), 'a refusal without a sentence')


def the_ring_stays_inside_its_bounds_and_survives_a_kill(folder, started):
    s = Quarantine(folder, started, 'quarantine: {mib: 1, files: 20}')
    rng = np.random.default_rng(2)
    for i in range(40):
        s.gateway.send(EVENTS, b'SIMPLE' + rng.bytes(int(rng.integers(10, 120000))))
        if i % 5 == 4:
            check(s.wait(lambda c: c['quarantined'] + c['quarantine_lost'] == i + 1), f'{s.daemon.status()["counters"]}')
            check(s.size() <= 1 << 20 and len(list(s.ring.iterdir())) <= 40, f'{s.size()} bytes, {len(list(s.ring.iterdir()))} files')
    before = s.listed()
    check(5 <= len(before) <= 20 and before[-1]['number'] == 40, f'{[b["number"] for b in before]}')
    s.daemon.kill()
    (s.ring / '000000000041.bin.tmp').write_bytes(b'half')
    (s.ring / f'{before[0]["number"]:012d}.bin').unlink()
    s.daemon.start()
    check(s.listed() == before[1:], 'the ring is another one after a kill')
    check(not list(s.ring.glob('*.tmp')), 'a half file is left')
    s.refuse(EVENTS, b'SIMPLE and new', 'bad_events.format')
    check(s.listed()[-1]['number'] > 40, 'a number was used twice')
    done = json.loads(json.dumps(s.quarantine('clear').decode()))
    check('refused inputs removed' in done and not list(s.ring.iterdir()), f'{done} {list(s.ring.iterdir())}')
    check('quarantine cleared on command' in s.daemon.log.read_text(), 'the clearing is not in the log')


def a_folder_that_cannot_be_written_costs_nothing_but_itself(folder, started):
    pathlib.Path(folder, 'file').write_text('in the way')
    s = Quarantine(folder, started, f'quarantine: {{folder: "{folder}/file"}}')
    s.gateway.send(EVENTS, b'SIMPLE')
    s.gateway.send(IMAGES, image(2))
    check(s.wait(lambda c: c['images'] == 1 and c.get('bad_events.truncated')), f'{s.daemon.status()["counters"]}')
    check('refused inputs are not kept' in s.daemon.log.read_text(), 'not told')


if __name__ == '__main__':
    cases = Cases()
    for case in (a_refused_input_lies_there_byte_for_byte_and_is_refused_again, a_refused_frame_lies_there_with_its_sizes,
                 every_kind_of_input_that_is_refused_lies_there,
                 the_ring_stays_inside_its_bounds_and_survives_a_kill, a_folder_that_cannot_be_written_costs_nothing_but_itself):
        if len(sys.argv) < 2 or sys.argv[1] in case.__name__:
            cases.run(case)
    cases.finish()
