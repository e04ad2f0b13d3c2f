#!/usr/bin/python3
"""Bad input through the running daemon: every bad file of tests/bad and bad frames, with good sub-images between. Each refusal is
counted under its own name, told once in one clear sentence, and every good packet around it gets its verdict."""
import collections
import json
import os
import pathlib
import subprocess
import sys
import time

import numpy as np

from harness import HEADER, ROOT, Cases, Session, check, finals

sys.path.insert(0, str(ROOT / 'tests/bad'))
import fits_bytes  # noqa: E402

IMAGES = b'burst-archive.v1.svom.eclairs.subimage'


def good(number, alert=0):
    text = fits_bytes.subimage(np.random.default_rng(1000 * alert + number), burst_id=f'sb26{number:06d}').bytes()
    return text.replace(b'ALERTCNT=                    0', b'ALERTCNT=                    %d' % alert)


class Images(Session):
    """Sends good sub-images, and knows which verdicts must come of them."""
    n_good = 0

    def send_good(self):
        self.n_good += 1
        self.gateway.send(IMAGES, good(self.n_good))

    def all_good_have_verdicts(self):
        ok = self.wait(lambda c: c['images'] >= self.n_good, 120)
        check(ok, f'{self.daemon.status()["counters"]["images"]} of {self.n_good} good images scored; {self.daemon.status()["counters"]}')
        self.wait(lambda c: c['verdicts'] >= self.n_good)
        told = finals(self.daemon.verdicts())
        missing = [f'sb26{i:06d}' for i in range(1, self.n_good + 1) if f'sb26{i:06d}' not in told]
        check(not missing, f'no verdict for {missing}')


def every_bad_file_is_counted_and_the_next_good_one_is_judged(folder, started):
    subprocess.run([ROOT / 'tests/bad/make.py', '--out', f'{folder}/bad'], check=True, stdout=subprocess.DEVNULL)
    entries = json.loads(subprocess.run([ROOT / 'tests/bad/make.py', '--list'], check=True, capture_output=True, text=True).stdout)
    bad = [e for e in entries if e['code'] != 'ok']
    check(len(bad) >= 60, f'only {len(bad)} bad files')
    s = Images(folder, started)
    s.send_good()
    want, seen = collections.Counter(), set()
    for i, e in enumerate(bad):
        body = open(f'{folder}/bad/{e["name"]}', 'rb').read()
        if (e['topic'], body) in seen:
            continue
        seen.add((e['topic'], body))
        want[('bad_subimage.' if e['topic'].endswith('subimage') else 'bad_events.') + e['code']] += 1
        s.gateway.send(b'burst-archive.v1.' + e['topic'].encode(), body)
        if i % 10 == 0:
            s.send_good()
        s.gateway.serve()
    s.send_good()
    s.all_good_have_verdicts()
    check(s.wait(lambda c: sum(c.get(k, 0) for k in want) >= sum(want.values()), 60), 'not all refusals counted')
    counters = s.daemon.status()['counters']
    differ = {k: (counters.get(k, 0), n) for k, n in want.items() if counters.get(k, 0) != n}
    check(not differ, f'counted and wanted: {differ}')
    log = s.daemon.log.read_text()
    told = {(line.split('kind=')[1].split()[0], line.split('error=')[1].split()[0]) for line in log.splitlines() if 'input refused' in line}
    untold = [k for k in want if tuple(k.split('.')) not in told]
    check(not untold, f'never told: {untold}')
    check(s.daemon.process.poll() is None, 'burstd has ended')


def raw(s, frames):
    s.gateway.pub.send_multipart(frames)


def bad_frames_are_counted_and_the_next_good_message_is_judged(folder, started):
    s = Images(folder, started)
    stream = s.gateway.stream

    def header(magic=b'BRST', version=1, flags=4, content=1, seq=1, sent=None):
        return HEADER.pack(magic, version, flags, content, stream, seq, time.time_ns() if sent is None else sent)
    body = good(999)
    cases = {
        'wrong magic': ([IMAGES, header(magic=b'FITS'), body], 'format'),
        'version 2': ([IMAGES, header(version=2), body], 'unsupported'),
        'unknown flag': ([IMAGES, header(flags=64), body], 'unsupported'),
        'content 9': ([IMAGES, header(content=9), body], 'unsupported'),
        'header of 39 bytes': ([IMAGES, header()[:39], body], 'shape'),
        'header empty': ([IMAGES, b'', body], 'shape'),
        'two frames': ([IMAGES, header()], 'shape'),
        'six frames': ([IMAGES, header(), body, b'', b'', b''], 'shape'),
        'seal of 5 bytes': ([IMAGES, None, body, b'seal!'], 'shape'),
        'seq 0': ([IMAGES, header(seq=0), body], 'range'),
        '17 MiB': ([IMAGES, None, bytes(17 << 20)], 'limit'),
        'topic with a control character': ([b'burst-archive.v1.svom\x07eclairs', header(), body], 'format'),
    }
    want = collections.Counter()
    s.send_good()
    for name, (frames, code) in cases.items():
        if frames[1] is None:  # a good header with the next number: the bad message takes it
            s.gateway.last[IMAGES] += 1
            frames[1] = header(seq=s.gateway.last[IMAGES])
            s.gateway.kept[IMAGES].append(frames)
        raw(s, frames)
        want['bad_frame.' + code] += 1
        s.send_good()
        s.settle(0.2)
    s.all_good_have_verdicts()
    counters = s.daemon.status()['counters']
    differ = {k: (counters.get(k, 0), n) for k, n in want.items() if counters.get(k, 0) != n}
    check(not differ, f'counted and wanted: {differ}')
    check(counters['gaps'] == 0, f'{counters["gaps"]} messages given up')
    log = s.daemon.log.read_text()
    for word in ('magic', 'version', '17825792 bytes, limit 16777216', 'frames'):
        check(word in log, f'"{word}" is not in the log: {log[-1500:]}')


def a_topic_nobody_reads_and_a_repeat_lose_nothing(folder, started):
    s = Images(folder, started)
    s.send_good()
    s.gateway.send(b'burst-archive.v1.fermi.lat.events', b'x')
    s.gateway.send(IMAGES, good(1))  # the same bytes again
    s.send_good()
    s.all_good_have_verdicts()
    counters = s.daemon.status()['counters']
    check(counters.get('bad_frame.unsupported') == 1, f'{counters}')
    check(counters['duplicates'] == 1, f'{counters}')
    numbers = [v['record_number'] for v in s.daemon.verdicts() if v['id'] == 'sb26000001']
    check(numbers == [1], f'the repeat made records {numbers}')


def another_image_under_the_same_number_is_a_conflict(folder, started):
    s = Images(folder, started)
    s.send_good()
    s.gateway.send(IMAGES, fits_bytes.subimage(np.random.default_rng(77), burst_id='sb26000001').bytes())
    s.send_good()
    s.all_good_have_verdicts()
    check(s.daemon.counter('bad_subimage.conflict') == 1, f'{s.daemon.status()["counters"]}')


LIVE = b'burst.v1.fermi.gbm.events'


def met_now():
    """Fermi mission elapsed time of the host's clock: seconds since 2001-01-01 UTC, with the five leap seconds since."""
    return time.time() - 978307200 + 5


def a_gateway_from_the_future_does_not_close_the_bins_of_others(folder, started):
    s = Images(folder, started)
    rng = np.random.default_rng(5)
    now = met_now()
    s.gateway.send(LIVE, fits_bytes.gbm(rng, zero=now - 40, length=10.0).bytes(), flags=0)
    s.gateway.send(LIVE, fits_bytes.gbm(rng, zero=now + 2 * 3600 - 10, length=10.0).bytes(), flags=0)
    s.gateway.send(LIVE, fits_bytes.gbm(rng, zero=now - 30, length=10.0).bytes(), flags=0)
    s.gateway.send(LIVE, fits_bytes.gbm(rng, zero=now + 3500 - 10, length=10.0).bytes(), flags=0)  # a clock that is wrong within the hour
    ahead = [time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(time.time() + dt)) for dt in (7200, 7220)]
    s.gateway.send(b'burst.v1.svom.eclairs.subimage', good(1).replace(b"2026-11-18T03:04:05", ahead[0].encode())
                   .replace(b"2026-11-18T03:04:25", ahead[1].encode()), flags=0)
    check(s.wait(lambda c: c['messages'] >= 5 and c.get('bad_subimage.time')), f'{s.daemon.status()["counters"]}')
    s.gateway.data_time = {LIVE.decode(): f'{ahead[1]}.000000Z', 'burst.v1.nobody.reads.this': '2026-01-01T00:00:00Z'}
    check(s.wait(lambda c: c.get('bad_frame.time')), 'the data_time of another century was believed')
    status = s.daemon.status()
    counters = status['counters']
    check(counters.get('bad_events.time') == 1 and counters['bad_subimage.time'] == 1, f'{counters}')
    check(counters['events'] > 400 and counters['events_late'] == 0, f'{counters}')  # three chunks of 300, some in no band
    check(set(status['inputs']) == {LIVE.decode()}, f'{status["inputs"]}')
    check(status['inputs'][LIVE.decode()]['data_time'] < ahead[0], f'{status["inputs"]}')
    lines = [x for x in s.daemon.log.read_text().splitlines() if 'more than an hour after the host' in x]
    check(len(lines) == 3, f'{lines}')
    for text in ('data end at ', f'the exposure ends at {ahead[1]}.730000Z', f"data_time lies at {ahead[1]}.000000Z"):
        check(any(text in x for x in lines), f'"{text}" is not among {lines}')


def broken_network(folder):
    """The shipped image network with a last bias so large that single precision overflows."""
    import onnx
    from onnx import numpy_helper
    data = pathlib.Path(os.environ.get('BURST_DATADIR', str(ROOT)))
    model = onnx.load(str(data / 'models/eclairs-cnn/1/model.onnx'))
    last = [n for n in model.graph.node if n.op_type in ('Gemm', 'MatMul', 'Conv', 'Add')][-1]
    for t in model.graph.initializer:
        if t.name in last.input:
            value = numpy_helper.to_array(t).copy()
            value[...] = 3e38
            t.CopyFrom(numpy_helper.from_array(value, t.name))
    os.makedirs(f'{folder}/broken/1')
    onnx.save(model, f'{folder}/broken/1/model.onnx')
    return f'{folder}/broken/1'


def a_network_that_fails_makes_good_images_unclear(folder, started):
    try:
        import onnx  # noqa: F401
    except ImportError:
        return 'python3-onnx is not installed'
    s = Images(folder, started)
    s.daemon.kill()
    s.daemon.config.write_text(s.daemon.config.read_text().replace('models: {', f'models: {{image: "{broken_network(folder)}", '))
    s.daemon.start()
    s.send_good()
    s.send_good()
    s.all_good_have_verdicts()
    for v in finals(s.daemon.verdicts()).values():
        check((v['verdict'], v['reason_code'], v['action']) == ('unclear', 'INTERNAL', 'review'), f'{v}')
        check('classification' not in v and 'could not be judged' in v['reasons'][0] and 'answered' in v['reasons'][1], f'{v}')
    check(s.daemon.counter('bad_infer.model') == 2 and s.daemon.counter('publish_failed') == 0, f'{s.daemon.status()["counters"]}')


if __name__ == '__main__':
    cases = Cases()
    for case in (every_bad_file_is_counted_and_the_next_good_one_is_judged, bad_frames_are_counted_and_the_next_good_message_is_judged,
                 a_topic_nobody_reads_and_a_repeat_lose_nothing, another_image_under_the_same_number_is_a_conflict,
                 a_gateway_from_the_future_does_not_close_the_bins_of_others, a_network_that_fails_makes_good_images_unclear):
        if len(sys.argv) < 2 or sys.argv[1] in case.__name__:
            cases.run(case)
    cases.finish()
